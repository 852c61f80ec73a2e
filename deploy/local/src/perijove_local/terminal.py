"""What the command says on the terminal, and how it gives up."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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


def exit_as(command: Callable[[Terminal], int]) -> None:
    """Run a command that ends by itself, say why it fails, and exit with its status."""
    terminal = Terminal()
    try:
        sys.exit(command(terminal))
    except Failure as failure:
        terminal.error(str(failure))
        sys.exit(1)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
