"""What a runner knows of terminals, as values."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping  # noqa: TC003 - records are decoded by their annotations
from dataclasses import dataclass, field
from typing import Final

from perijove_chassis.errors import InvalidArgument, NotFound

MAX_INPUT_BYTES: Final = 1024 * 1024
"""Most bytes that are typed at once."""

_NAME = re.compile(r"\w{1,64}", re.ASCII)
_MAX_ID: Final = 256
_MAX_SIDE: Final = 10_000
_MAX_WORDS: Final = 256
_MAX_WORDS_BYTES: Final = 64 * 1024
_MAX_PATHS: Final = 8
_MAX_PATH_BYTES: Final = 4095


class EndCause(enum.Enum):
    """Why a terminal is gone."""

    UNKNOWN = "unknown"
    EXITED = "exited"
    SIGNALED = "signaled"
    DELETED = "deleted"
    CULLED = "culled"
    RUNNER_STOPPED = "runner_stopped"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a terminal is, in characters."""

    rows: int
    columns: int

    @classmethod
    def parse(cls, rows: int, columns: int) -> Size:
        """Return a size, if it can be one.

        Raises:
            InvalidArgument: if it cannot.
        """
        if not (0 < rows <= _MAX_SIDE and 0 < columns <= _MAX_SIDE):
            raise InvalidArgument(f"rows and columns are from 1 to {_MAX_SIDE}")
        return cls(rows, columns)


USUAL_SIZE: Final = Size(24, 80)


@dataclass(frozen=True, slots=True)
class Launch:
    """A terminal that someone wants."""

    name: str
    """Empty for the smallest free number."""
    working_directories: tuple[str, ...] = ()
    """Absolute; the first that is there is taken. If none is, the runner's own."""
    command: tuple[str, ...] = ()
    """What to run; empty for the usual shell."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables beside and over those of the runner."""
    size: Size = USUAL_SIZE


@dataclass(frozen=True, slots=True)
class TerminalRecord:
    """What is kept of a terminal for the next runner."""

    name: str
    terminal_id: str
    create_time: float


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal at one moment."""

    name: str
    terminal_id: str
    create_time: float
    last_activity_time: float
    connection_count: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a terminal ended."""

    cause: EndCause
    message: str
    exit_code: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """A place in what a terminal has shown."""

    terminal_id: str
    position: int


def parse_name(text: str) -> str:
    """Return the name of a terminal.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if not _NAME.fullmatch(text):
        raise InvalidArgument(f"not the name of a terminal: {text[:64]!r}")
    return text


def parse_client_id(text: str) -> str:
    """Return a client's id, which may be empty.

    Raises:
        InvalidArgument: if it is too long.
    """
    if len(text) > _MAX_ID:
        raise InvalidArgument(f"the client id has more than {_MAX_ID} characters")
    return text


def parse_command(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command line, which may be empty.

    Raises:
        InvalidArgument: if it cannot be run.
    """
    too_much = len(words) > _MAX_WORDS or sum(map(len, words)) > _MAX_WORDS_BYTES
    if too_much or any("\0" in word for word in words) or (words and not words[0]):
        raise InvalidArgument("not a command line")
    return words


def parse_working_directories(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return directories.

    Raises:
        InvalidArgument: if one is not absolute, or there are too many.
    """
    for path in paths:
        if not path.startswith("/") or "\0" in path or len(path.encode()) > _MAX_PATH_BYTES:
            raise InvalidArgument("a working directory is an absolute path")
    if len(paths) > _MAX_PATHS:
        raise InvalidArgument(f"more than {_MAX_PATHS} working directories")
    return paths


def no_such_terminal(name: str) -> NotFound:
    """Return the error to raise for a name that no terminal has."""
    return NotFound(f"Terminal not found: {name}", reason="NO_SUCH_TERMINAL")
