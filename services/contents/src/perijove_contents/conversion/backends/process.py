"""One worker, seen from the process that started it."""

from __future__ import annotations

import asyncio
import os
import signal
import site
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import structlog
from jupyter_core import paths

from perijove_contents.conversion.backends.messages import (
    MAX_MESSAGE_BYTES,
    Convert,
    Converted,
    ExporterFound,
    Failed,
    Ready,
    Start,
)
from perijove_contents.conversion.backends.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_contents.backends.threads import Threads

log = structlog.get_logger()

_MODULE = "perijove_contents.conversion.backends.worker"

_KEPT = frozenset(
    {
        *("PATH", "LANG", "LANGUAGE", "TZ", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
        *("JUPYTER_PATH", "JUPYTER_PREFER_ENV_PATH", "JUPYTER_PLATFORM_DIRS"),
        *("XDG_DATA_DIRS", "FONTCONFIG_FILE", "FONTCONFIG_PATH"),
    }
)
_KEPT_PREFIXES = ("LC_", "TEXMF")


class WorkerDied(Exception):
    """A worker ended before it answered."""


class Worker:
    """A process that converts one notebook at a time.

    It ends when the block around it does. Meanwhile it has no secret of this
    process, and little else: see `confinement`.
    """

    exporters: tuple[ExporterFound, ...]
    """What it found installed, in order of names; known once it is ready."""
    conversions: int
    """How many it has been given."""

    def __init__(
        self, threads: Threads, *, config_dir: str, max_memory_bytes: int, max_output_bytes: int
    ) -> None:
        self._threads = threads
        self._config_dir = config_dir
        self._max_memory_bytes = max_memory_bytes
        self._max_output_bytes = max_output_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: Scratch | None = None
        self._connection, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.setblocking(False)
        self.exporters = ()
        self.conversions = 0

    async def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises:
            WorkerDied: if it ends instead.
        """
        await self._threads.run(self._spawn)
        self._theirs.close()
        self.exporters = tuple(msgspec.json.decode(await self._receive(), type=Ready).exporters)
        log.info("worker ready", worker_pid=self._process.pid if self._process else None)

    async def convert(self, job: Convert, notebook_fd: int, output_fd: int) -> Converted | Failed:
        """Have a notebook converted into a file.

        Raises:
            WorkerDied: if the process ends meanwhile.
        """
        self.conversions += 1
        try:
            # There is room for one message: the last one has been answered.
            socket.send_fds(self._connection, [msgspec.json.encode(job)], [notebook_fd, output_fd])
        except OSError as error:
            raise WorkerDied from error
        return msgspec.json.decode(await self._receive(), type=Converted | Failed)

    def is_alive(self) -> bool:
        """Return whether the process still listens."""
        try:
            return bool(self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """Kill the process and what it started."""
        self._connection.close()
        self._theirs.close()
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill the process, and leave nothing of it."""
        self.kill()
        if self._process:
            status = await self._threads.run(self._process.wait)
            log.info("worker ended", worker_pid=self._process.pid, status=status)
        if self._scratch:
            await self._threads.run(self._scratch.remove)

    def _spawn(self) -> None:
        """Start the process, without a fork that would run the handlers of gRPC in it.

        The kernel takes the thread that does this for the parent: one of a pool,
        which lives as long as this process. What is made is noted at once: the
        caller may be gone.
        """
        self._scratch = Scratch()
        start = Start(
            parent_pid=os.getpid(),
            socket_fd=self._theirs.fileno(),
            scratch=self._scratch.location,
            config_dir=self._config_dir,
            max_memory_bytes=self._max_memory_bytes,
            max_output_bytes=self._max_output_bytes,
        )
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, msgspec.json.encode(start).decode()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=start.scratch,
            env=_environment(os.environ, start.scratch),
            pass_fds=(start.socket_fd,),
            # A group of its own: what it starts is killed with it.
            start_new_session=True,
        )

    async def _receive(self) -> bytes:
        try:
            loop = asyncio.get_running_loop()
            message = await loop.sock_recv(self._connection, MAX_MESSAGE_BYTES)
        except OSError as error:
            raise WorkerDied from error
        if not message:
            raise WorkerDied
        return message


def _environment(ours: Mapping[str, str], scratch: str) -> dict[str, str]:
    """Return what a worker is told: where things are, and nothing secret."""
    kept = {
        name: value
        for name, value in ours.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return kept | {
        "HOME": scratch,
        "TMPDIR": scratch,
        # What is found by way of the home directory otherwise.
        "JUPYTER_DATA_DIR": paths.jupyter_data_dir(),
        "PYTHONUSERBASE": site.getuserbase(),
        # TeX runs programs if a document asks it to.
        "shell_escape": "f",
        "openout_any": "p",
    }
