"""The implementations of Jupyter kernels that are tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Implementation:
    """One implementation, and what the protocol leaves to it."""

    kernelspec: str
    name: str
    """How it calls itself."""
    interrupt_mode: str
    interrupted: str
    """The exception that it raises in a cell that is interrupted."""


IMPLEMENTATIONS: Final = (
    Implementation("python3", "ipython", "signal", "KeyboardInterrupt"),
    # It imports nothing of ipykernel: it has sockets, threads, interrupts and comms of its own.
    Implementation("async", "async-kernel", "message", "KernelInterrupt"),
)

LEFT_OUT: Final[Mapping[tuple[str, str], str]] = {
    ("async", "test_what_it_shows_is_changed_later"): (
        "the kernel: async-kernel 0.23.1 publishes it as `iopub_update_display_data`, which no"
        " client knows, also to one that is connected to its own sockets"
    ),
}
"""Tests that are not run with a kernel, with whose fault it is."""
