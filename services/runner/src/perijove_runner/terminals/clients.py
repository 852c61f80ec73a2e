"""One client of a terminal: a place in what it shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from perijove_chassis.errors import InvalidArgument

from perijove_runner.terminals.model import MAX_INPUT_BYTES, Ended, Size

if TYPE_CHECKING:
    from perijove_runner.terminals.scrollback import Scrollback

MAX_OUTPUT_BYTES: Final = 256 * 1024
"""Most bytes that are sent at once."""


@dataclass(frozen=True, slots=True)
class Output:
    """Something shown."""

    position: int
    data: bytes
    input_taken: int = 0
    """How many bytes of the client's input are taken; zero if there is nothing new to say."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Output is missing here."""

    first_position: int
    next_position: int


class Line(Protocol):
    """What clients are attached to."""

    @property
    def scrollback(self) -> Scrollback:
        """What it has shown."""

    @property
    def ended(self) -> Ended | None:
        """How it ended, once all it has shown is in the scrollback."""

    async def type(self, client: int, position: int, data: bytes) -> None:
        """Type input of a client; wait while too much is waiting."""

    def client_changed(self) -> None:
        """Hear that a client has moved on, or shows another size."""

    def client_left(self, client: TerminalClient) -> None:
        """Hear that a client is gone."""


class TerminalClient:
    """One attached client."""

    def __init__(
        self, line: Line, number: int, position: int, taken: int, size: Size | None
    ) -> None:
        """Attach.

        Args:
            line: The terminal.
            number: What the client's input is counted under.
            position: Up to where it needs no output.
            taken: How many bytes of its input are taken.
            size: What it can show, if it said so.
        """
        self._line = line
        self.number = number
        self.position = position
        self.size = size
        self.taken = taken
        self._typed = taken
        self._told = taken
        self._news = asyncio.Event()
        self._said_end = False

    async def next(self) -> Output | Gap | Ended | None:
        """Return what to send next; nothing after the end."""
        while not self._said_end:
            self._news.clear()
            scrollback = self._line.scrollback
            if self.position < scrollback.start:
                gap = Gap(self.position, scrollback.start)
                self.position = scrollback.start
                return gap
            if self.position < scrollback.end or self._told < self.taken:
                return self._output(scrollback)
            if self._line.ended:
                self._said_end = True
                return self._line.ended
            await self._news.wait()
        return None

    async def type(self, position: int, data: bytes) -> None:
        """Type what the client sends; wait while too much of it waits to be typed.

        Raises:
            InvalidArgument: if it leaves out something, or is too much.
        """
        if position < 0 or position > self._typed or len(data) > MAX_INPUT_BYTES:
            raise InvalidArgument("input must follow on what was sent before")
        self._typed = max(self._typed, position + len(data))
        await self._line.type(self.number, position, data)

    def resize(self, size: Size) -> None:
        """Note that the client shows another size now."""
        self.size = size
        self._line.client_changed()

    def wake(self) -> None:
        """Hear that there may be something to send."""
        self._news.set()

    def close(self) -> None:
        """Leave."""
        self._line.client_left(self)

    def _output(self, scrollback: Scrollback) -> Output:
        position = self.position
        data = scrollback.after(position, MAX_OUTPUT_BYTES)
        self.position += len(data)
        taken = self.taken if self.taken > self._told else 0
        self._told = self.taken
        # The shell may be waiting for its fastest client.
        self._line.client_changed()
        return Output(position, data, taken)
