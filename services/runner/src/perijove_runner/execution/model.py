"""Runs and what comes of them, as values."""

from __future__ import annotations

import enum
import hashlib
import re
import uuid
from collections.abc import Mapping  # noqa: TC003 - read by the class that is made of it
from dataclasses import dataclass, field

import msgspec
from perijove_chassis.errors import InvalidArgument

from perijove_runner.model import ExitCause, KernelExit

DEFAULT_OUTPUT_BYTES = 16 * 1024 * 1024
MAX_OUTPUT_BYTES = 1024 * 1024 * 1024

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SUBSHELL_ID = re.compile(r"[\x20-\x7e]{0,256}")
_MOST_EXPRESSIONS = 256


class OutcomeKind(enum.Enum):
    """How a run ends."""

    OK = "ok"
    ERROR = "error"
    ABORTED = "aborted"
    KERNEL_ENDED = "kernel_ended"
    REPLY_LOST = "reply_lost"


@dataclass(frozen=True, slots=True)
class ExecutionError:
    """An exception in the kernel."""

    name: str
    value: str
    traceback: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """How much it counts as output."""
        return sum(len(part.encode()) for part in (self.name, self.value, *self.traceback))


@dataclass(frozen=True, slots=True)
class MimeData:
    """One representation of something to show."""

    mime_type: str
    value: str | bytes
    """Text, JSON text, or bytes."""
    is_json: bool = False

    @property
    def size_bytes(self) -> int:
        """How much it counts as output."""
        return len(self.value if isinstance(self.value, bytes) else self.value.encode())


@dataclass(frozen=True, slots=True)
class MimeBundle:
    """The representations of one thing."""

    data: tuple[MimeData, ...] = ()
    metadata_json: str = ""
    """Empty if there is none."""

    @property
    def size_bytes(self) -> int:
        """How much it counts as output."""
        return len(self.metadata_json.encode()) + sum(one.size_bytes for one in self.data)


@dataclass(frozen=True, slots=True)
class Started:
    """The kernel has begun."""

    execution_count: int


@dataclass(frozen=True, slots=True)
class StreamOutput:
    """Text that was printed."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class DisplayData:
    """Something to show, or to show in place of what was shown."""

    bundle: MimeBundle
    display_id: str
    is_update: bool


@dataclass(frozen=True, slots=True)
class ClearOutput:
    """What was shown is to be cleared."""

    wait: bool


@dataclass(frozen=True, slots=True)
class ExecuteResult:
    """The value of the last expression."""

    execution_count: int
    bundle: MimeBundle


@dataclass(frozen=True, slots=True)
class Question:
    """What the kernel asks, and waits for."""

    input_id: str
    prompt: str
    is_password: bool
    header: bytes = field(repr=False)
    """The parent header of the answer."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """The limit of output is reached."""

    max_output_bytes: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Outputs are missing."""

    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run has ended."""

    kind: OutcomeKind
    execution_count: int = 0
    error: ExecutionError | None = None
    exit: KernelExit | None = None
    user_expressions: Mapping[str, MimeBundle | ExecutionError] = field(default_factory=dict)
    payloads_json: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of what is sent of a run."""

    outcome: Outcome
    is_timed_out: bool
    output_bytes: int
    is_incomplete: bool


Output = (
    Started
    | StreamOutput
    | DisplayData
    | ClearOutput
    | ExecuteResult
    | ExecutionError
    | Question
    | Truncated
    | Gap
    | Finished
)


@dataclass(frozen=True, slots=True)
class Placed:
    """An output and its position; zero if it has none."""

    position: int
    output: Output


@dataclass(frozen=True, slots=True)
class Execution:
    """What a client asks to be run."""

    kernel_id: str
    request_id: str
    code: str = field(repr=False)
    silent: bool = False
    store_history: bool | None = None
    """None is for unless silent."""
    stop_on_error: bool = True
    allow_stdin: bool = False
    user_expressions: Mapping[str, str] = field(default_factory=dict, repr=False)
    subshell_id: str = ""
    time_limit_s: float | None = None

    def __post_init__(self) -> None:
        if len(self.user_expressions) > _MOST_EXPRESSIONS:
            raise InvalidArgument(f"a run may have {_MOST_EXPRESSIONS} user expressions")
        if self.time_limit_s is not None and self.time_limit_s <= 0:
            raise InvalidArgument("a time limit must be positive")

    @property
    def digest(self) -> str:
        """What tells it from other executions, whoever asks for it and how long it may take."""
        parts = (
            self.code,
            self.silent,
            self.store_history,
            self.stop_on_error,
            self.allow_stdin,
            sorted(self.user_expressions.items()),
            self.subshell_id,
        )
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a run a call wants to be sent."""

    after_position: int
    max_output_bytes: int


class KeptEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a run has ended, as long as it is remembered; large parts are left out."""

    kind: OutcomeKind
    finish_time: float
    """Unix time in seconds."""
    sequence: int
    """No message of the run has a higher number; zero if that is not known."""
    execution_count: int = 0
    error_name: str = ""
    error_value: str = ""
    exit: KernelExit | None = None
    is_timed_out: bool = False

    def outcome(self) -> Outcome:
        """Return what it says."""
        error = None
        if self.kind is OutcomeKind.ERROR:
            error = ExecutionError(self.error_name, self.error_value)
        return Outcome(self.kind, self.execution_count, error, self.exit)


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What must not be forgotten of a run."""

    request_id: str
    digest: str
    msg_id: str
    epoch: int
    begin: int
    """Sequence number after which its messages come."""
    accept_time: float
    """Unix time in seconds."""
    interrupt_at: float | None = None
    """When to interrupt it, in Unix time."""
    silent: bool = False
    begun: bool = False
    """Whether the kernel has begun with it."""
    end: KeptEnd | None = None
    refused: bool = False
    """Whether it was not run after all, and is not remembered."""


def parse_request_id(text: str) -> str:
    """Return the id of a run; a new one if it is empty.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if text and not _REQUEST_ID.fullmatch(text):
        raise InvalidArgument("a request id has 1 to 128 letters, digits and `._:-`")
    return text or uuid.uuid4().hex


def parse_subshell_id(text: str) -> str:
    """Return the id of a subshell, or nothing for the main one.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if not _SUBSHELL_ID.fullmatch(text):
        raise InvalidArgument("not the id of a subshell")
    return text


def parse_wanted(after_position: int, max_output_bytes: int) -> Wanted:
    """Return what a call wants.

    Raises:
        InvalidArgument: if a number is negative.
    """
    if after_position < 0 or max_output_bytes < 0:
        raise InvalidArgument("positions and limits are not negative")
    return Wanted(after_position, min(max_output_bytes or DEFAULT_OUTPUT_BYTES, MAX_OUTPUT_BYTES))


def kernel_ended(exit_: KernelExit | None) -> Outcome:
    """Return the outcome of a run whose kernel has ended."""
    return Outcome(
        OutcomeKind.KERNEL_ENDED,
        exit=exit_ or KernelExit(ExitCause.UNKNOWN, "The kernel has ended.", 0.0),
    )


def unanswered(*, interrupted: bool) -> Outcome:
    """Return the outcome of a run that the kernel is done with, and says nothing of."""
    if not interrupted:
        return Outcome(OutcomeKind.REPLY_LOST)
    error = ExecutionError("KeyboardInterrupt", "interrupted before the code was run")
    return Outcome(OutcomeKind.ERROR, error=error)
