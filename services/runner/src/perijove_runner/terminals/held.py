"""One terminal from its start to its end."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import signal
import time
from typing import TYPE_CHECKING, Final

import structlog

from perijove_runner.terminals.clients import TerminalClient
from perijove_runner.terminals.model import EndCause, Ended, Size, Terminal
from perijove_runner.terminals.scrollback import Scrollback
from perijove_runner.terminals.store import Shown, Status, Typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.terminals.model import Resume, TerminalRecord
    from perijove_runner.terminals.store import Pty

log = structlog.get_logger()

AHEAD: Final = 256 * 1024
"""Bytes that the fastest client may be behind before the shell waits for it."""
TYPED_AHEAD: Final = 64 * 1024
"""Bytes that may wait to be typed before clients wait."""

_REMEMBERED: Final = 200
"""Clients that are gone and may come back; fewer than the shell's own side remembers."""
_STEP_S: Final = 0.1
_LAST_S: Final = 3.0
_POLITELY: Final = (
    (signal.SIGHUP, signal.SIGCONT),
    (signal.SIGINT,),
    (signal.SIGTERM,),
    (signal.SIGKILL,),
)
_CAUSES: Final = {
    EndCause.DELETED: "The terminal was deleted.",
    EndCause.CULLED: "Nothing happened in the terminal for longer than is allowed.",
    EndCause.RUNNER_STOPPED: "The runner was told to stop.",
}


class HeldTerminal:
    """A terminal, its clients, and what they see of it."""

    def __init__(
        self, record: TerminalRecord, pty: Pty, most: int, gone: Callable[[HeldTerminal], None]
    ) -> None:
        """Take up a terminal.

        Args:
            record: What is known of it.
            pty: The shell.
            most: How many bytes of output to keep.
            gone: Told when it has ended.
        """
        self.record = record
        self.scrollback = Scrollback(pty.found.start, most)
        self.ended: Ended | None = None
        self.last_activity_time = pty.found.active_time
        self._pty = pty
        self._gone = gone
        self._taken = dict(pty.found.taken)
        self._sent: dict[int, int] = dict(self._taken)
        self._clients: set[TerminalClient] = set()
        self._size: Size | None = None
        self._cause: EndCause | None = None
        self._pace = asyncio.Event()
        self._typing = asyncio.Condition()
        self._over = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    def view(self) -> Terminal:
        """Return what it is like now."""
        return Terminal(
            self.record.name,
            self.record.terminal_id,
            self.record.create_time,
            self.last_activity_time,
            len(self._clients),
        )

    def attach(self, client_id: str, resume: Resume | None, size: Size | None) -> TerminalClient:
        """Return a client that begins where it left off, or with all that is kept."""
        number = _number(client_id) if client_id else secrets.randbits(64)
        self._forget_some()
        position = self.scrollback.beginning()
        if resume and self.is_resumed_by(resume):
            position = resume.position
        client = TerminalClient(self, number, position, self._sent.get(number, 0), size)
        self._clients.add(client)
        self._touch()
        self.client_changed()
        return client

    def is_resumed_by(self, resume: Resume) -> bool:
        """Return whether a place is one in this terminal."""
        known = resume.terminal_id == self.record.terminal_id
        # What was there when this runner took it up may still be on its way.
        end = max(self.scrollback.end, self._pty.found.end)
        return known and 0 <= resume.position <= end

    async def type(self, client: int, position: int, data: bytes) -> None:
        """Type input of a client; wait while too much is waiting."""
        async with self._typing:
            await self._typing.wait_for(lambda: self.ended or self._waiting() < TYPED_AHEAD)
        if self.ended:
            return
        self._touch()
        self._sent[client] = max(self._sent.get(client, 0), position + len(data))
        await self._pty.type(client, position, data)

    def client_changed(self) -> None:
        """Let the shell go on if its fastest client has, and give it the smallest size."""
        self._pace.set()
        sizes = [client.size for client in self._clients if client.size]
        if not sizes or self.ended:
            return
        size = Size(min(one.rows for one in sizes), min(one.columns for one in sizes))
        if size != self._size:
            self._size = size
            self._touch()
            self._pty.resize(size)

    def client_left(self, client: TerminalClient) -> None:
        """Forget a client."""
        self._clients.discard(client)
        self.client_changed()

    async def end(self, cause: EndCause) -> None:
        """End the shell: ask it ever less politely. Returns once it is gone."""
        self._cause = self._cause or cause
        # Whoever is slow may have the rest from what is kept.
        self._pace.set()
        for numbers in _POLITELY:
            for number in numbers:
                if not self.ended:
                    self._pty.signal(number)
            if await self._gone_within(_STEP_S):
                return
        if not await self._gone_within(_LAST_S):
            log.warning("terminal does not end", name=self.record.name)
            self._reading.cancel()
            await self._finish(Ended(cause, _CAUSES[cause]))

    async def removed(self) -> None:
        """Return once nothing is left of it."""
        await self._over.wait()

    async def release(self) -> None:
        """Leave it to the next runner."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._pty.release()

    async def _read(self) -> None:
        while True:
            await self._take_time()
            match await self._pty.read():
                case Shown(data):
                    self._touch()
                    self.scrollback.add(data)
                    for client in self._clients:
                        client.wake()
                case Typed(number, position):
                    await self._note_typed(number, position)
                case Status(code):
                    await self._finish(self._ended(code))
                    return
                case None:
                    await self._finish(Ended(EndCause.UNKNOWN, "What held the terminal is gone."))
                    return

    async def _take_time(self) -> None:
        """Wait while the fastest client is behind; if there is none, or all must end, do not."""
        while self._clients and not self._cause:
            fastest = max(client.position for client in self._clients)
            if self.scrollback.end - fastest < AHEAD:
                return
            self._pace.clear()
            await self._pace.wait()

    async def _note_typed(self, number: int, position: int) -> None:
        self._taken[number] = position
        for client in self._clients:
            if client.number == number:
                client.taken = max(client.taken, position)
                client.wake()
        async with self._typing:
            self._typing.notify_all()

    async def _finish(self, ended: Ended) -> None:
        if self.ended:
            return
        self.ended = ended
        async with self._typing:
            self._typing.notify_all()
        for client in self._clients:
            client.wake()
        self._gone(self)
        await self._pty.forget()
        self._over.set()

    def _ended(self, code: int) -> Ended:
        exit_code, number = (code, None) if code >= 0 else (None, -code)
        if self._cause:
            return Ended(self._cause, _CAUSES[self._cause], exit_code, number)
        if number is None:
            return Ended(EndCause.EXITED, f"The shell exited with code {code}.", exit_code)
        return Ended(EndCause.SIGNALED, f"Signal {number} ended the shell.", None, number)

    async def _gone_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    def _forget_some(self) -> None:
        """Forget what was taken of clients that were here longest ago, if there are too many."""
        here = {client.number for client in self._clients}
        for number in [one for one in self._sent if one not in here][: -_REMEMBERED or None]:
            self._taken.pop(number, None)
            del self._sent[number]

    def _waiting(self) -> int:
        return sum(sent - self._taken.get(number, 0) for number, sent in self._sent.items())

    def _touch(self) -> None:
        self.last_activity_time = time.time()


def _number(client_id: str) -> int:
    digest = hashlib.blake2b(client_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
