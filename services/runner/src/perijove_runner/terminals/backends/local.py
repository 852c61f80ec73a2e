"""Starts terminals on this machine, each held by a process of its own."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis import grpc_switches
from perijove_chassis.errors import FailedPrecondition

import perijove_runner
from perijove_runner.terminals.backends import holder
from perijove_runner.terminals.backends.holding import HeldPty, HolderGoneError, connect
from perijove_runner.terminals.backends.places import TerminalPlaces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perijove_runner.terminals.model import Launch, TerminalRecord
    from perijove_runner.terminals.settings import TerminalSettings

log = structlog.get_logger()

_START: Final = (
    f"import sys; sys.path.append({str(Path(perijove_runner.__file__).parents[1])!r}); "
    f"from {holder.__name__} import main; main(sys.argv[1:])"
)
_HOLDER: Final = (sys.executable, "-I", "-S", "-c", _START)
"""Without the user's settings of Python, and without what starts with every Python here."""
_TERM: Final = "xterm-256color"
"""What xterm.js is, which shows terminals in every front end."""
_NOT_FOR_SHELLS: Final = ("JPY_PARENT_PID", "COLUMNS", "LINES")
"""What speaks of the server: programs believe its size, and not that of their terminal."""
_OURS: Final = (grpc_switches.VARIABLE, grpc_switches.FEWER_THREADS)
_BACKLOG: Final = 4


class LocalTerminals:
    """A `TerminalHost`: sockets and records are in the runner's state directory."""

    def __init__(
        self,
        state_dir: str,
        environ: Mapping[str, str],
        settings: TerminalSettings,
        *,
        umask: int,
    ) -> None:
        """Start shells with an environment and a umask, less what is of no concern to them."""
        self._places = TerminalPlaces(state_dir)
        self._environ = {
            name: value
            for name, value in environ.items()
            if name not in _NOT_FOR_SHELLS
            and not name.startswith("PERIJOVE_")
            # What the user has set is for shells, too.
            and (name, value) != _OURS
        }
        self._settings = settings
        self._umask = umask

    async def launch(self, record: TerminalRecord, launch: Launch) -> HeldPty:
        """Start a terminal that outlives the runner."""
        cwd = await asyncio.to_thread(_first_directory, launch.working_directories)
        self._places.make(record)
        remove = partial(self._places.remove, record.terminal_id)
        try:
            pty = await self._start(record, launch, cwd)
        except BaseException:
            remove()
            raise
        if pty.error:
            await pty.forget()
            raise _no_start(os.strerror(pty.error))
        return pty

    async def adopt(self) -> Sequence[tuple[TerminalRecord, HeldPty]]:
        """Return what earlier runners left, in order of their start."""
        found = []
        for record in self._places.records():
            remove = partial(self._places.remove, record.terminal_id)
            try:
                pty = await connect(self._places.socket(record.terminal_id), remove)
            except HolderGoneError:
                log.info("terminal is gone", name=record.name)
                remove()
            else:
                found.append((record, pty))
        return found

    async def _start(self, record: TerminalRecord, launch: Launch, cwd: str | None) -> HeldPty:
        path = self._places.socket(record.terminal_id)
        with socket.socket(socket.AF_UNIX) as listening:
            # Made here, so that it can be reached from the start: no runner that comes
            # after this one overlooks a terminal.
            listening.bind(str(path))
            listening.listen(_BACKLOG)
            process = self._spawn(listening.fileno(), str(path), launch, cwd)
        try:
            pty = await connect(path, partial(self._places.remove, record.terminal_id))
        except HolderGoneError:
            process.kill()
            await asyncio.to_thread(process.wait)
            raise _no_start("what was to hold it is gone") from None
        # `HeldPty` reaps it; Popen must neither wait for it nor warn that it lives.
        process.returncode = 0
        return pty

    def _spawn(
        self, fd: int, path: str, launch: Launch, cwd: str | None
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._arguments(fd, path, launch),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=cwd,
                env={**self._environ, "TERM": _TERM, **launch.environment},
                pass_fds=(fd,),
                start_new_session=True,
                umask=self._umask,
            )
        except OSError as error:
            raise _no_start(error.strerror or "unknown") from error

    def _arguments(self, fd: int, path: str, launch: Launch) -> list[str]:
        command = launch.command or self._usual_shell(launch.environment)
        numbers = (self._settings.kept_bytes, launch.size.rows, launch.size.columns)
        return [*_HOLDER, str(fd), path, *map(str, numbers), *command]

    def _usual_shell(self, environment: Mapping[str, str]) -> list[str]:
        if self._settings.shell:
            return shlex.split(self._settings.shell)
        shell = environment.get("SHELL") or self._environ.get("SHELL") or "sh"
        return [shell, "-l"] if self._settings.login else [shell]


def _first_directory(paths: Sequence[str]) -> str | None:
    for path in paths:
        if os.path.isdir(path) and os.access(path, os.X_OK):  # noqa: PTH112 - may be any text
            return path
    return None


def _no_start(why: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"the shell could not be started: {why}", reason="TERMINAL_START_FAILED"
    )
