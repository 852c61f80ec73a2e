"""Starts processes of kernels so that they outlive the runner, and finds them again."""

from __future__ import annotations

import asyncio
import os
import signal
import string
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_chassis import grpc_switches
from perijove_chassis.errors import FailedPrecondition

from perijove_runner.backends import notes
from perijove_runner.backends.processes import LocalProcess, open_process
from perijove_runner.backends.procfs import boot_id, pids_with_argument, start_ticks
from perijove_runner.model import ProcessMark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perijove_runner.backends.layout import StateLayout
    from perijove_runner.backends.memory import OutOfMemory
    from perijove_runner.store import KernelProcess, Launch

_STRIPPED = frozenset(
    {
        # A kernel ends by itself when this is not its parent.
        "JPY_PARENT_PID",
        # Python would take it for the kernel's own executable.
        "PYTHONEXECUTABLE",
    }
)
_OURS = (grpc_switches.VARIABLE, grpc_switches.FEWER_THREADS)
_STRIPPED_PREFIX = "PERIJOVE_"
"""Settings of Perijove's processes, some of them secret."""


class LocalLauncher:
    """Launches kernels on this machine, each in a session and process group of its own."""

    def __init__(
        self,
        layout: StateLayout,
        environ: Mapping[str, str],
        *,
        umask: int,
        oom: OutOfMemory,
        directory: str = "",
    ) -> None:
        """Launch with an environment and a umask, less what is of no concern to kernels.

        Kernels whose working directory is not on this machine start in `directory`; if
        that is empty, in the nearest parent that exists.
        """
        self._directory = directory
        self._layout = layout
        self._environ = {
            name: value
            for name, value in environ.items()
            if name not in _STRIPPED
            and not name.startswith(_STRIPPED_PREFIX)
            # What the user has set is for kernels, too.
            and (name, value) != _OURS
        }
        self._umask = umask
        self._oom = oom
        self._boot_id = boot_id()

    async def launch(self, launch: Launch) -> KernelProcess:
        """Start a process that outlives the runner.

        Raises:
            FailedPrecondition: with reason `KERNEL_START_FAILED` if it cannot.
        """
        if not launch.argv:
            raise FailedPrecondition(
                "the kernelspec names no command", reason="KERNEL_START_FAILED"
            )
        cwd = await asyncio.to_thread(self.directory, launch)
        self._oom.look()
        # From here to the return nothing waits: a cancelled caller cannot lose a process.
        try:
            for socket in self._layout.kernel(launch.kernel_id).glob("s-*"):
                socket.unlink()
            return self.start(
                launch.argv,
                directory=cwd,
                environment=self.environment(launch),
                output=self._layout.output(launch.kernel_id),
            )
        except OSError as error:
            # The command is in the kernelspec, which all may read who may start kernels.
            raise FailedPrecondition(
                f"{launch.argv[0]} could not be run: {error.strerror or 'unknown'}",
                reason="KERNEL_START_FAILED",
            ) from error

    def directory(self, launch: Launch) -> str | None:
        """Return where a kernel is to start; the runner's own directory if None."""
        if self._directory and not _is_usable(Path(launch.working_directory or self._directory)):
            return self._directory
        return nearest_directory(launch.working_directory or self._directory)

    async def adopt(self, mark: ProcessMark) -> KernelProcess:
        """Return a process that an earlier runner launched; it may be gone by now."""
        return open_process(mark, self._layout.note(mark.pid, mark.start_ticks), self._oom)

    async def end_unrecorded(self, kernel_id: str) -> None:
        """End the process of a launch that the runner did not live to record."""
        connection_file = str(self._layout.connection_file(kernel_id))
        for pid in await asyncio.to_thread(pids_with_argument, connection_file):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    def start(
        self,
        arguments: Sequence[str],
        *,
        directory: str | None,
        environment: Mapping[str, str],
        output: Path,
        descriptor: int | None = None,
    ) -> LocalProcess:
        """Start a process of its own session and group, and watch it.

        Args:
            arguments: Its command line.
            directory: Where it starts; the runner's own if none.
            environment: All of its variables.
            output: File for what it prints; what others left there goes.
            descriptor: What it inherits beside that.

        Raises:
            OSError: if it cannot be started.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        printed = os.open(output, flags, 0o600)
        try:
            process = subprocess.Popen(
                [str(Path(arguments[0]).expanduser()), *arguments[1:]],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=directory,
                env=environment,
                start_new_session=True,
                umask=self._umask,
                pass_fds=() if descriptor is None else (descriptor,),
            )
        finally:
            os.close(printed)
        # `LocalProcess` reaps it; Popen must neither wait for it nor warn that it lives.
        process.returncode = 0
        ticks = start_ticks(process.pid) or 0
        note = self._layout.note(process.pid, ticks)
        notes.make(note)
        mark = ProcessMark(process.pid, ticks, self._boot_id)
        return LocalProcess(mark, os.pidfd_open(process.pid), note, self._oom)

    def environment(self, launch: Launch) -> dict[str, str]:
        """Return the variables of a process."""
        around = {**self._environ, **launch.environment}
        asked = {
            name: string.Template(value).safe_substitute(around)
            for name, value in launch.kernelspec_environment.items()
        }
        whole = {**self._environ, **asked, **launch.environment}
        return {name: value for name, value in whole.items() if name not in _STRIPPED}


def nearest_directory(path: str) -> str | None:
    """Return a directory or the nearest of its parents that exists; none for no path."""
    if not path:
        return None
    wanted = Path(path)
    for candidate in (wanted, *wanted.parents):
        if _is_usable(candidate):
            return str(candidate)
    return None


def _is_usable(directory: Path) -> bool:
    with suppress(OSError):
        return directory.is_dir() and os.access(directory, os.X_OK)
    return False
