"""A process that the runner need not be the parent of, watched through a pidfd."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_runner.backends import notes
from perijove_runner.backends.procfs import boot_id, start_ticks
from perijove_runner.model import ProcessExit, ProcessMark

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_runner.backends.memory import OutOfMemory

_NOTE_TRIES = 100
_NOTE_PAUSE_S = 0.02
"""How long another parent may take to reap a process and write its note: 2 s."""


class LocalProcess:
    """A process and its group. Reaped as soon as it ends, if the runner is its parent."""

    def __init__(self, mark: ProcessMark, pidfd: int, note: Path, oom: OutOfMemory) -> None:
        """Watch a process; the pidfd is closed at its end."""
        self._mark = mark
        self._pidfd = pidfd
        self._note = note
        self._oom = oom
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ending = asyncio.create_task(self._end())
        asyncio.get_running_loop().add_reader(pidfd, self._readable)

    @property
    def mark(self) -> ProcessMark:
        """What tells it from every other process."""
        return self._mark

    def interrupt(self) -> None:
        """Send SIGINT to the group; nothing happens if the process is gone."""
        self._signal(signal.SIGINT)

    def terminate(self) -> None:
        """Send SIGTERM to the group; nothing happens if the process is gone."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the group; nothing happens if the process is gone."""
        self._signal(signal.SIGKILL)

    async def wait(self) -> ProcessExit:
        """Wait until the process is gone, however often asked, and say how it ended."""
        return await asyncio.shield(self._ending)

    def _signal(self, number: signal.Signals) -> None:
        # Asked of the pidfd first: the pid itself may have a new owner by now.
        if not self._over.done() and not _is_over(self._pidfd):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._mark.pid, number)

    def _readable(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        if not self._over.done():
            self._over.set_result(None)

    async def _end(self) -> ProcessExit:
        try:
            await self._over
            try:
                return self._reap()
            except ChildProcessError:
                return await self._read_note()
        finally:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            notes.drop(self._note)

    def _reap(self) -> ProcessExit:
        os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        # As long as it is not reaped its group is nobody else's: end what is left of it.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._mark.pid, signal.SIGKILL)
        result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        if result is None:
            return ProcessExit()
        if result.si_code == os.CLD_EXITED:
            return ProcessExit(exit_code=result.si_status)
        return self._signaled(result.si_status)

    async def _read_note(self) -> ProcessExit:
        for _ in range(_NOTE_TRIES):
            if written := notes.read(self._note):
                exit_code, number = written
                return ProcessExit(exit_code) if number is None else self._signaled(number)
            await asyncio.sleep(_NOTE_PAUSE_S)
        return ProcessExit()

    def _signaled(self, number: int) -> ProcessExit:
        if number != signal.SIGKILL:
            return ProcessExit(signal=number)
        return ProcessExit(
            signal=number,
            out_of_memory=self._oom.struck(),
            memory_was_short=self._oom.struck_somewhere(),
        )


class EndedProcess:
    """A process that had ended when the runner looked for it."""

    def __init__(self, mark: ProcessMark, note: Path) -> None:
        self._mark = mark
        self._note = note

    @property
    def mark(self) -> ProcessMark:
        """What told it from every other process."""
        return self._mark

    def interrupt(self) -> None:
        """Do nothing."""

    def terminate(self) -> None:
        """Do nothing."""

    def kill(self) -> None:
        """Do nothing."""

    async def wait(self) -> ProcessExit:
        """Say how it ended, as far as that was noted."""
        written = notes.read(self._note)
        notes.drop(self._note)
        return ProcessExit(*written) if written else ProcessExit()


def open_process(mark: ProcessMark, note: Path, oom: OutOfMemory) -> LocalProcess | EndedProcess:
    """Return a process by its mark, alive or ended."""
    if mark.boot_id != boot_id():
        return EndedProcess(mark, note)
    try:
        # First the pidfd, which pins the process, then the proof that it is the one.
        pidfd = os.pidfd_open(mark.pid)
    except ProcessLookupError:
        return EndedProcess(mark, note)
    if start_ticks(mark.pid) != mark.start_ticks:
        os.close(pidfd)
        return EndedProcess(mark, note)
    return LocalProcess(mark, pidfd, note, oom)


def _is_over(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))
