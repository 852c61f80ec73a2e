"""What a terminal has shown lately, counted in bytes from its start.

Kept by the runner, and by the process that holds the terminal: so it imports nothing.
"""

from __future__ import annotations

_LONGEST_LINE = 16 * 1024


class Scrollback:
    """The newest bytes, up to a limit."""

    def __init__(self, start: int, most: int) -> None:
        """Keep nothing yet.

        Args:
            start: Position of the first byte to come.
            most: How many bytes to keep.
        """
        self._most = most
        self._bytes = bytearray()
        self.start = start
        """Position of the oldest byte that is kept."""

    @property
    def end(self) -> int:
        """Position after the newest byte."""
        return self.start + len(self._bytes)

    def add(self, data: bytes) -> None:
        """Keep more, and forget the oldest if that is too much."""
        self._bytes += data
        over = len(self._bytes) - self._most
        if over > 0:
            del self._bytes[:over]
            self.start += over

    def after(self, position: int, most: int) -> bytes:
        """Return what follows a position that is kept."""
        at = position - self.start
        return bytes(self._bytes[at : at + most])

    def beginning(self) -> int:
        """Return where to begin to show it: not inside of a line, if that was cut."""
        if self.start == 0:
            return 0
        found = self._bytes.find(b"\n", 0, _LONGEST_LINE)
        return self.start + found + 1
