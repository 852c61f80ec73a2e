"""What the registry knows of kernels and runners, as values."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping  # noqa: TC003 - rows are decoded by their annotations
from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003 - the same

from perijove_chassis.errors import InvalidArgument, ResourceExhausted

MAX_LABELS = 32
MAX_LABEL_BYTES = 1024
"""Most bytes of a label, its key included."""
MAX_VARIABLES = 512
MAX_VARIABLE_BYTES = 64 * 1024
MAX_REASON_CHARACTERS = 500
RESERVED_LABEL = "perijove."
"""Labels that begin with this belong to Perijove's own services."""
WORKING_DIRECTORY_LABEL = f"{RESERVED_LABEL}working_directory"
"""Label that says where a kernel was started: what it prints may name files from there."""

_MAX_PATH_BYTES = 4095
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE_NAME = re.compile(r"[^=\0]{1,256}")


class ExecutionState(enum.Enum):
    """What a kernel is doing."""

    UNKNOWN = "unknown"
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    RESTARTING = "restarting"
    DEAD = "dead"


class ExitCause(enum.Enum):
    """Why a kernel's process ended."""

    UNKNOWN = "unknown"
    EXITED = "exited"
    SIGNALED = "signaled"
    OUT_OF_MEMORY = "out_of_memory"
    SHUTDOWN = "shutdown"
    RESTARTED = "restarted"
    CULLED = "culled"
    RUNNER_LOST = "runner_lost"
    RUNNER_STOPPED = "runner_stopped"
    START_FAILED = "start_failed"
    RUNNER_DRAINED = "runner_drained"


@dataclass(frozen=True, slots=True)
class KernelExit:
    """How a kernel's process ended."""

    cause: ExitCause
    message: str
    exit_time: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    output: str = ""
    """The last its process wrote, if it ended by itself."""
    requested_by: str = ""
    """Who asked for it, if somebody did."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel, as its runner last described it."""

    kernel_id: str
    kernelspec_name: str
    execution_state: ExecutionState
    last_activity_time: datetime
    connection_count: int
    epoch: int
    create_time: datetime
    labels: Mapping[str, str]
    runner_id: str
    revision: int
    """Orders what the runner says of it: the higher one is the newer one."""
    last_exit: KernelExit | None = None
    owner: str = ""
    """Name of the user whose it is; empty if nobody's in particular."""
    runner_address: str = ""
    """Where its runner is dialled; not kept with the kernel, but filled in when it is read."""


@dataclass(frozen=True, slots=True)
class Kernelspec:
    """A kind of kernel that can be started."""

    name: str
    display_name: str
    language: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    interrupt_mode: str
    metadata: bytes
    """The `metadata` object as JSON text."""
    resources: tuple[str, ...]
    protocol_version: str


@dataclass(frozen=True, slots=True)
class Runner:
    """A process that holds kernels."""

    runner_id: str
    address: str
    capacity: int
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drain:
    """That a runner takes nothing new, and leaves once it is empty."""

    reason: str
    begin_time: datetime
    deadline: datetime | None = None
    """When what it still holds is ended; None if that may run on."""
    requested_by: str = ""


@dataclass(frozen=True, slots=True)
class Hello:
    """The whole state of a runner."""

    runner: Runner
    kernelspecs: tuple[Kernelspec, ...]
    kernels: tuple[Kernel, ...]
    revision: int
    drain: Drain | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed at a runner; nothing in a heartbeat."""

    kernels: tuple[Kernel, ...] = ()
    gone: tuple[str, ...] = ()
    revision: int = 0
    kernelspecs: tuple[Kernelspec, ...] | None = None
    """All it can start now, if that has changed."""
    drain: Drain | None = None
    """Whether it is being drained, if that has changed."""
    drain_changed: bool = False
    leaves: bool = False
    """Whether it leaves for good."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A kernelspec and the live runners that can start from it."""

    kernelspec: Kernelspec
    runners: tuple[Runner, ...]


@dataclass(frozen=True, slots=True)
class Launch:
    """A kernel that someone wants."""

    kernel_id: str
    kernelspec_name: str
    working_directory: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    runner_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that its runner must have."""
    owner: str = ""
    """Name of the user for whom it is; empty if nobody in particular."""
    wait_s: float = 0.0
    """Seconds to wait for a place, if there is none."""

    @classmethod
    def parse(
        cls,
        kernel_id: str,
        kernelspec_name: str,
        working_directory: str,
        environment: Mapping[str, str],
        labels: Mapping[str, str],
        runner_labels: Mapping[str, str],
        owner: str = "",
        wait_s: float = 0.0,
    ) -> Launch:
        """Return the wish, if it can be one.

        Raises:
            InvalidArgument: if a part is malformed.
            ResourceExhausted: if it exceeds a limit.
        """
        bad_path = working_directory and not working_directory.startswith("/")
        if bad_path or "\0" in working_directory or len(working_directory) > _MAX_PATH_BYTES:
            raise InvalidArgument("working_directory is not an absolute path")
        return cls(
            parse_kernel_id(kernel_id),
            kernelspec_name,
            working_directory,
            parse_environment(environment),
            parse_labels(labels),
            parse_labels(runner_labels),
            owner,
            wait_s,
        )


def buried(kernel: Kernel) -> Kernel:
    """Return a kernel that is gone as it is shown.

    If its runner did not say how it ended, what it said of an earlier process does not count.
    """
    if kernel.execution_state is ExecutionState.DEAD and kernel.last_exit:
        return kernel
    unknown = KernelExit(ExitCause.UNKNOWN, "The kernel ended; why is not known.")
    return replace(kernel, execution_state=ExecutionState.DEAD, last_exit=unknown)


def parse_kernel_id(text: str) -> str:
    """Return a kernel's id.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if not _ID.fullmatch(text):
        raise InvalidArgument(f"not the id of a kernel: {text[:64]!r}")
    return text


def parse_runner_id(text: str) -> str:
    """Return a runner's id.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if not _ID.fullmatch(text):
        raise InvalidArgument(f"not the id of a runner: {text[:64]!r}")
    return text


def parse_reason(text: str) -> str:
    """Return why something is done, for people.

    Raises:
        InvalidArgument: if it is too long, or more than a line.
    """
    if len(text) > MAX_REASON_CHARACTERS or not text.isprintable():
        raise InvalidArgument(f"a reason is a line of at most {MAX_REASON_CHARACTERS} characters")
    return text


def parse_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return the labels.

    Raises:
        InvalidArgument: if one has no key.
        ResourceExhausted: if there are too many, or one is too large.
    """
    if "" in labels:
        raise InvalidArgument("a label needs a key")
    if len(labels) > MAX_LABELS:
        raise ResourceExhausted(f"more than {MAX_LABELS} labels", reason="LIMIT_EXCEEDED")
    for key, value in labels.items():
        if len(key.encode()) + len(value.encode()) > MAX_LABEL_BYTES:
            raise ResourceExhausted(
                f"the label {key[:64]!r} is larger than {MAX_LABEL_BYTES} bytes",
                reason="LIMIT_EXCEEDED",
            )
    return labels


def noted(launch: Launch) -> Mapping[str, str]:
    """Return the labels of a kernel that is launched, with its working directory if that fits."""
    where = {WORKING_DIRECTORY_LABEL: launch.working_directory}
    try:
        return parse_labels(
            {**launch.labels, **where} if launch.working_directory else launch.labels
        )
    except ResourceExhausted:
        return launch.labels


def parse_environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment variables.

    Raises:
        InvalidArgument: if a name or a value cannot be in an environment.
        ResourceExhausted: if there are too many, or one is too large.
    """
    if len(environment) > MAX_VARIABLES:
        raise ResourceExhausted(f"more than {MAX_VARIABLES} variables", reason="LIMIT_EXCEEDED")
    for name, value in environment.items():
        if not _VARIABLE_NAME.fullmatch(name) or "\0" in value:
            raise InvalidArgument(f"not an environment variable: {name[:64]!r}")
        if len(value.encode()) > MAX_VARIABLE_BYTES:
            raise ResourceExhausted(
                f"the variable {name[:64]!r} is larger than {MAX_VARIABLE_BYTES} bytes",
                reason="LIMIT_EXCEEDED",
            )
    return environment
