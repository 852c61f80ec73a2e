"""What the rules of kernels that are started beforehand need from the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from perijove_runner.model import Kernelspec
    from perijove_runner.store import KernelProcess, Launch


class SpareLostError(Exception):
    """A spare has ended, or does not become what it is told to be."""


class Spare(Protocol):
    """A process that waits to be made a kernel, once."""

    async def until_ready(self) -> None:
        """Wait until it has done all that it can do beforehand.

        Raises:
            SpareLostError: if it ends, or takes too long.
        """

    def ended(self) -> bool:
        """Return whether it is no more."""

    async def outdated(self) -> bool:
        """Return whether a process started now would find other files."""

    def made_of(self, spec: Kernelspec) -> bool:
        """Return whether it is what it would be if it were made now."""

    def suits(self, launch: Launch) -> bool:
        """Return whether it can become what is to be launched."""

    async def claim(self, launch: Launch) -> KernelProcess:
        """Make it the kernel that is to be launched. It is no spare from here on.

        Raises:
            SpareLostError: if that fails; it is ended.
        """

    def pause(self) -> None:
        """Have it leave the processor to others, at its next step."""

    def go_on(self) -> None:
        """Have it go on."""

    async def end(self) -> None:
        """End it."""


class SpareMaker(Protocol):
    """Starts spares."""

    def can_make(self, spec: Kernelspec) -> bool:
        """Return whether kernels of a kernelspec can be started beforehand."""

    def make(self, spec: Kernelspec) -> Spare:
        """Start one; it is not ready yet.

        Raises:
            SpareLostError: if it cannot be started.
        """
