"""The registry's values as rows in Redis, and as arguments and replies of scripts."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - rows are decoded by their annotations
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from perijove_kernels.model import Drain, Kernel, Kernelspec, Runner
from perijove_kernels.store import Holding, Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perijove_kernels.model import Changes


class RunnerRow(msgspec.Struct, frozen=True):
    """What is kept of a runner."""

    runner: Runner
    capacity: int
    revision: int
    names: Mapping[str, str]
    """Names of its kernelspecs by their lower case."""


kernels = msgspec.json.Decoder(Kernel)
runners = msgspec.json.Decoder(RunnerRow)
drains = msgspec.json.Decoder(Drain)
kernelspecs = msgspec.json.Decoder(tuple[Kernelspec, ...])


def drain_text(changes: Changes) -> str:
    """Return how `apply` is told of a drain: `=` if nothing has changed."""
    if not changes.drain_changed:
        return "="
    return as_text(changes.drain) if changes.drain else ""


def member_of(row: str, drain: str, *numbers: int) -> Member:
    """Return a runner as `pool` describes it."""
    found, (live, silent_ms, held, kept) = runners.decode(row), numbers
    return Member(
        runner=found.runner,
        kernelspec_names=tuple(sorted(found.names.values())),
        drain=drains.decode(drain) if drain else None,
        lost=not live,
        silent_s=silent_ms / 1000,
        kernels=held,
        reserved=kept,
    )


def holding_of(row: str, runner_row: str, live: int) -> Holding:
    """Return a kernel as `get` and `changes` describe it."""
    kernel = at_address(kernels.decode(row), runners.decode(runner_row).runner.address)
    return Holding(kernel, lost=not live)


def at_address(kernel: Kernel, address: str) -> Kernel:
    """Return a kernel with the address of its runner."""
    return replace(kernel, runner_address=address)


def runner_row(runner: Runner, specs: Iterable[Kernelspec], revision: int) -> str:
    """Return the row of a runner."""
    names = {spec.name.lower(): spec.name for spec in specs}
    return as_text(RunnerRow(runner, runner.capacity, revision, names))


def kernel_rows(found: Iterable[Kernel]) -> Iterable[str | int]:
    """Return kernels as arguments of scripts."""
    for kernel in found:
        yield from kernel_row(kernel)


def kernel_row(kernel: Kernel) -> tuple[str, int, str, str]:
    """Return a kernel as arguments of scripts."""
    return kernel.kernel_id, kernel.revision, kernel.owner, as_text(kernel)


def pairs(flat: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Return what a reply has in turns."""
    return zip(flat[::2], flat[1::2], strict=True)


def as_text(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()
