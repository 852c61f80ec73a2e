"""A manager of terminals with all that is below it, and a client that reads what is shown."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from perijove_runner.terminals.backends import holder
from perijove_runner.terminals.backends.local import LocalTerminals
from perijove_runner.terminals.clients import Gap, Output, TerminalClient
from perijove_runner.terminals.manager import TerminalManager
from perijove_runner.terminals.model import Ended, Launch, Resume, Size, Terminal
from perijove_runner.terminals.settings import TerminalSettings

GENEROUS_S = 30
SHELL = "bash --norc --noprofile"
KEPT = 512 * 1024


class Viewer:
    """One attached client, and all that it was shown."""

    def __init__(self, terminal: Terminal, client: TerminalClient, *, resumed: bool) -> None:
        self.terminal = terminal
        self.client = client
        self.resumed = resumed
        self.began = client.position
        self.shown = b""
        self.gaps: list[Gap] = []
        self.ended: Ended | None = None
        self._typed = client.taken

    async def take(self) -> None:
        """Take what comes next."""
        async with asyncio.timeout(GENEROUS_S):
            news = await self.client.next()
        match news:
            case Output(position, data, _):
                assert not data or position == self.began + len(self.shown) + self._missing()
                self.shown += data
            case Gap():
                self.gaps.append(news)
            case Ended():
                self.ended = news
            case None:
                raise AssertionError("nothing follows")

    async def until(self, pattern: str) -> str:
        """Read until something is shown, and return it."""
        while not (found := re.search(pattern.encode(), self.shown)):
            assert not self.ended, self.shown
            await self.take()
        return found[0].decode()

    async def to_the_end(self) -> Ended:
        while not self.ended:
            await self.take()
        return self.ended

    async def type(self, text: str) -> None:
        data = text.encode()
        position, self._typed = self._typed, self._typed + len(data)
        await self.client.type(position, data)

    async def run(self, command: str, pattern: str) -> str:
        await self.type(command + "\n")
        return await self.until(pattern)

    def place(self) -> Resume:
        return Resume(self.terminal.terminal_id, self.client.position)

    def _missing(self) -> int:
        return sum(gap.next_position - gap.first_position for gap in self.gaps)


class TerminalStand:
    """A manager with all that is below it."""

    def __init__(self, directory: Path, environ: dict[str, str], **settings: Any) -> None:
        own = TerminalSettings(**{"shell": SHELL, "kept_bytes": KEPT, **settings})
        self.directory = directory
        self.manager = TerminalManager(
            LocalTerminals(str(directory), environ, own, umask=0o022), own
        )

    async def create(self, name: str = "", **fields: Any) -> Terminal:
        terminal, _ = await self.manager.create(Launch(name, **fields))
        return terminal

    def attach(
        self,
        name: str = "1",
        client_id: str = "",
        resume: Resume | None = None,
        size: Size | None = None,
    ) -> Viewer:
        terminal, client, resumed = self.manager.attach(name, client_id, resume, size)
        return Viewer(terminal, client, resumed=resumed)

    def holders(self) -> list[psutil.Process]:
        """Return the processes that hold terminals of this stand."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or ()
            if any(holder.__name__ in word for word in words) and any(
                str(self.directory) in word for word in words
            ):
                found.append(process)
        return found

    async def close(self, *, keep: bool = False) -> None:
        await self.manager.close(keep=keep)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(GENEROUS_S):
            while not condition():  # noqa: ASYNC110 - processes set no event
                await asyncio.sleep(0.02)


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process is over, whether or not anybody has asked how it ended."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
