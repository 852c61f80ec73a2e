"""What a runner knows of kernels, as values."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping  # noqa: TC003 - records are decoded by their annotations
from dataclasses import dataclass, field

from perijove_chassis.errors import InvalidArgument, NotFound, ResourceExhausted

MAX_LABELS = 32
MAX_LABEL_BYTES = 1024
MAX_VARIABLES = 512
MAX_VARIABLE_BYTES = 64 * 1024
"""Well below what Linux takes for one variable, 128 KiB."""

_MAX_NAME_BYTES = 255
_MAX_PATH_BYTES = 4095
_MAX_REQUESTER = 64

_KERNEL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KERNELSPEC_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_VARIABLE_NAME = re.compile(r"[^=\0]{1,256}")


class ExecutionState(enum.Enum):
    """What a kernel is doing."""

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
    RUNNER_STOPPED = "runner_stopped"
    START_FAILED = "start_failed"
    RUNNER_DRAINED = "runner_drained"


class Channel(enum.IntEnum):
    """A socket of a kernel; the numbers are those of the wire contract."""

    SHELL = 1
    IOPUB = 2
    STDIN = 3
    CONTROL = 4


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """Where a kernel listens, and the key that signs its messages."""

    transport: str
    """`ipc` or `tcp`."""
    ip: str
    """An address for tcp; for ipc the path that `-<port>` is added to."""
    shell_port: int
    iopub_port: int
    stdin_port: int
    control_port: int
    hb_port: int
    key: str = field(repr=False)
    signature_scheme: str
    kernel_name: str

    def url(self, port: int) -> str:
        """Return the ZeroMQ address of one of the ports."""
        separator = ":" if self.transport == "tcp" else "-"
        return f"{self.transport}://{self.ip}{separator}{port}"


@dataclass(frozen=True, slots=True)
class KernelExit:
    """How a kernel's process ended."""

    cause: ExitCause
    message: str
    exit_time: float
    """Seconds since the epoch of Unix."""
    exit_code: int | None = None
    signal: int | None = None
    output: str = ""
    """The last it wrote to its stdout and stderr, if it ended by itself."""
    requested_by: str = ""
    """Who asked for it, if somebody did."""


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """What the system says of a process that ended; nothing if it is not known."""

    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    """Whether the system ended it for lack of memory."""
    memory_was_short: bool = False
    """Whether the system has just ended some process for that, perhaps this one."""


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """Tells one process from every other, also from later ones with its pid."""

    pid: int
    start_ticks: int
    """Clock ticks from boot to its start."""
    boot_id: str


@dataclass(frozen=True, slots=True)
class Kernelspec:
    """A kind of kernel that can be started here."""

    name: str
    display_name: str
    language: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    interrupt_mode: str
    """`signal` or `message`."""
    metadata: bytes
    """The `metadata` object as JSON text."""
    resources: tuple[str, ...]
    """Names of its files."""
    protocol_version: str
    directory: str
    """Where its files are: `{resource_dir}` in `argv`."""
    cull_idle_s: float | None = None
    """After how many seconds without activity its kernels are culled, in place of what
    the runner is told; zero or less for never."""
    concurrent: bool = False
    """Whether its kernels answer other requests while they run a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelspecChoice:
    """Which of the installed kernelspecs may be started."""

    allowed: tuple[str, ...] = ()
    """Their names; all if empty."""
    native: bool = True
    """Whether the Python of this process may be, though no kernelspec names it."""


@dataclass(frozen=True, slots=True)
class KernelRecord:
    """All that is kept of a kernel for a runner that comes after this one."""

    kernel_id: str
    kernelspec_name: str
    argv: tuple[str, ...]
    """Command line of every process of the kernel, ready to run."""
    kernelspec_environment: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    """Variables its creator asked for."""
    interrupt_mode: str
    working_directory: str
    labels: Mapping[str, str]
    connection: ConnectionInfo
    create_time: float
    epoch: int
    launch_time: float
    """When the process of this epoch was launched, in seconds of Unix time."""
    process: ProcessMark | None = None
    """Absent only between the intention to launch and the launch."""
    last_exit: KernelExit | None = None
    external: str = ""
    """Name of its connection file, if others have started it."""
    concurrent: bool = False
    """Whether it answers other requests while it runs a cell."""
    owner: str = ""
    """Name of the user whose it is; empty if nobody's in particular."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel as others see it."""

    kernel_id: str
    kernelspec_name: str
    execution_state: ExecutionState
    last_activity_time: float
    connection_count: int
    epoch: int
    create_time: float
    labels: Mapping[str, str]
    last_exit: KernelExit | None
    revision: int
    """The higher one is the newer one, over all kernels of the runner and its restarts."""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """A kernel that someone wants."""

    kernel_id: str
    kernelspec_name: str
    working_directory: str
    environment: Mapping[str, str] = field(repr=False)
    labels: Mapping[str, str]
    owner: str = ""


def parse_kernel_id(text: str) -> str:
    """Return a kernel's id.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if not _KERNEL_ID.fullmatch(text):
        raise InvalidArgument(f"not the id of a kernel: {text[:64]!r}")
    return text


def parse_requester(text: str) -> str:
    """Return who asks for something, as people are told it: short and on one line."""
    return "".join(c for c in text if c.isprintable())[:_MAX_REQUESTER]


def parse_reason(text: str) -> str:
    """Return why something is done, as people are told it: on one line."""
    return "".join(c for c in text if c.isprintable())


def parse_kernelspec_name(text: str) -> str:
    """Return a kernelspec's name.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    if not _KERNELSPEC_NAME.fullmatch(text):
        raise InvalidArgument(f"not the name of a kernelspec: {text[:128]!r}")
    return text


def parse_resource_name(text: str) -> str:
    """Return the name of a file in a kernelspec's directory.

    Raises:
        InvalidArgument: if it has a directory or cannot name a file.
    """
    fits = 0 < len(text.encode()) <= _MAX_NAME_BYTES
    if not fits or text in (".", "..") or set(text) & {"/", "\\", "\0"}:
        raise InvalidArgument(f"not the name of a file: {text[:128]!r}", reason="BAD_PATH")
    return text


def parse_working_directory(text: str) -> str:
    """Return an absolute path, or nothing.

    Raises:
        InvalidArgument: if it is relative or no path.
    """
    if "\0" in text or (text and not text.startswith("/")) or len(text.encode()) > _MAX_PATH_BYTES:
        raise InvalidArgument("the working directory is not an absolute path", reason="BAD_PATH")
    return text


def parse_environment(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return variables that a process can be given.

    Raises:
        InvalidArgument: if a name or value cannot be one.
        ResourceExhausted: if there are too many, or one is too long.
    """
    for name, value in variables.items():
        if not _VARIABLE_NAME.fullmatch(name) or "\0" in value:
            raise InvalidArgument("a variable of the environment has no valid name or value")
        if len(value.encode()) > MAX_VARIABLE_BYTES:
            raise ResourceExhausted(
                f"a variable may have {MAX_VARIABLE_BYTES} bytes", reason="LIMIT_EXCEEDED"
            )
    if len(variables) > MAX_VARIABLES:
        raise ResourceExhausted(
            f"an environment may have {MAX_VARIABLES} variables", reason="LIMIT_EXCEEDED"
        )
    return dict(variables)


def parse_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return labels of a kernel.

    Raises:
        InvalidArgument: if one has no name.
        ResourceExhausted: if there are too many, or one is too long.
    """
    if "" in labels:
        raise InvalidArgument("a label has no name")
    long = any(
        len(name.encode()) + len(value.encode()) > MAX_LABEL_BYTES for name, value in labels.items()
    )
    if long or len(labels) > MAX_LABELS:
        raise ResourceExhausted(
            f"a kernel may have {MAX_LABELS} labels of {MAX_LABEL_BYTES} bytes",
            reason="LIMIT_EXCEEDED",
        )
    return dict(labels)


def no_such_kernel(kernel_id: str) -> NotFound:
    """Return the error for an id that no kernel has."""
    return NotFound(f"Kernel does not exist: {kernel_id}", reason="NO_SUCH_KERNEL")
