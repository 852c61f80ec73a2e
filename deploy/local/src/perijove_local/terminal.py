"""What the command says on the terminal, and how it gives up."""

from __future__ import annotations

import sys
from contextlib import suppress


class Failure(Exception):
    """The command cannot go on; the text is the one line the user reads."""


class Terminal:
    """Writes results to standard output and events to standard error.

    A terminal that is gone is no reason to stop anything: it is ignored.
    """

    def result(self, text: str) -> None:
        """Say what was asked for."""
        with suppress(OSError, ValueError):
            print(text, flush=True)

    def event(self, text: str) -> None:
        """Say what happened, in one line."""
        with suppress(OSError, ValueError):
            print(f"perijove: {text}", file=sys.stderr, flush=True)

    def error(self, text: str) -> None:
        """Say why the command ends."""
        self.event(f"error: {text}")

    def passthrough(self, text: str) -> None:
        """Show lines of a service's log as they are."""
        with suppress(OSError, ValueError):
            print(text, end="", file=sys.stderr, flush=True)
