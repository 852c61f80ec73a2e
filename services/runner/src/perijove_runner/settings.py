"""What a runner is told."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from perijove_chassis.credentials import RunnerVerifier
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.settings import ServerSettings, SettingsError

from perijove_runner.culling import DEFAULT_INTERVAL_S, CullRule
from perijove_runner.model import KernelspecChoice
from perijove_runner.patience import Policy
from perijove_runner.rules import UNTRACKED, MessageRules
from perijove_runner.snapshot import RelayLimits, SpoolLimits
from perijove_runner.warm.model import WarmPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "PERIJOVE_RUNNER_"


class RunnerSettings(ServerSettings, frozen=True, kw_only=True):
    """Settings of a runner: `PERIJOVE_RUNNER_ID` and so on."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """Unique among all runners, and the same after a restart."""
    state_dir: str
    """Absolute directory of its own, with a short path: sockets are in it."""
    kernels: str = ""
    """gRPC targets of the kernels service, separated by commas; none if empty."""
    renew_certificate: bool = False
    """Whether to have the certificate at `TLS_CERT` renewed where it announces itself, in
    good time: for runners that have joined with a token."""
    working_directory: Annotated[str, msgspec.Meta(pattern="^(/.*)?$")] = ""
    """Absolute directory in which kernels start whose own is not on this machine; if
    empty, they start in the nearest parent that is."""
    capacity: Annotated[int, msgspec.Meta(ge=1)] = 100
    """Most kernels it takes."""
    labels: str = ""
    """What placement may ask for, such as `gpu=a100,zone=b`."""
    advertise: str = ""
    """gRPC target under which others dial it; if empty, the first that it listens on."""
    journal_bytes: Annotated[int, msgspec.Meta(ge=0)] = 256 * 1024 * 1024
    """Most bytes on disk of what one kernel said, for clients that are slow or away."""
    journal_total_bytes: Annotated[int, msgspec.Meta(ge=0)] = 1024 * 1024 * 1024
    """Most of all kernels. Past it the kernel that has the most loses its oldest first."""
    journal_age_s: Annotated[float, msgspec.Meta(gt=0)] = 24 * 3600.0
    """Seconds that such messages are kept on disk at most."""
    kernels_on_stop: Literal["shutdown", "keep"] = "shutdown"
    """What becomes of its kernels when it is told to stop: with `keep` they run
    on for the next runner of the same state directory. Killed, it keeps them."""

    drain_on_stop_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """If more than zero, being told to stop means to be drained: it takes nothing new,
    and its kernels have this many seconds. Told again, it stops at once."""

    shutdown_wait_s: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    """Seconds that a kernel gets to end by itself when it is asked to."""
    kernel_info_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    """Seconds in which a kernel must answer after a restart, and in which clients of
    one that starts wait for it."""
    autorestart: bool = True
    """Whether a kernel that died is started again."""
    restart_limit: Annotated[int, msgspec.Meta(ge=0)] = 5
    """How often in a row."""
    stable_start_s: Annotated[float, msgspec.Meta(ge=0)] = 10.0
    """Seconds after which a kernel that dies is counted anew."""
    cull_idle_timeout_s: float = 0.0
    """Seconds without activity after which a kernel is shut down; never if zero or less.
    A kernelspec may have its own in `metadata.cull_idle_timeout`."""
    cull_interval_s: float = DEFAULT_INTERVAL_S
    """Seconds between two looks for such kernels."""
    cull_connected: bool = False
    """Whether kernels that have clients are shut down, too."""
    cull_busy: bool = False
    """Whether kernels that run a cell are shut down, too."""
    allowed_message_types: str = ""
    """Types of messages that clients may send, separated by commas; all if empty."""
    untracked_message_types: str = ""
    """Types of messages that are no activity, separated by commas, in place of the usual."""
    allow_tracebacks: bool = True
    """Whether clients are shown the errors of cells."""
    traceback_replacement: str = (
        "An exception occurred at runtime, which is not shown due to security reasons."
    )
    """What they are shown if not."""
    allowed_kernelspecs: str = ""
    """Names of the kernelspecs that may be started, separated by commas; all if empty."""
    ensure_native_kernel: bool = True
    """Whether the Python of this process may be started though no kernelspec names it."""
    inherited_envs: str = ""
    """Names of variables of this process, separated by commas, that kernels have too, beside
    `PATH` and what kernelspecs and clients say; all if empty, but those of Perijove."""
    external_kernels: Annotated[str, msgspec.Meta(pattern="^(/.*)?$")] = ""
    """Absolute directory of connection files, of kernels that others start; none if empty.
    Whoever may write there says what this runner connects to."""
    warm: str = ""
    """Kernels to keep started beforehand, such as `python3:2`: a kernelspec and how
    many, separated by spaces. Each takes the memory of an idle kernel."""

    def policy(self) -> Policy:
        """Return how patient the runner is with its kernels."""
        return Policy(
            polite_s=self.shutdown_wait_s,
            ready_s=self.kernel_info_timeout_s,
            stable_s=self.stable_start_s,
            restart_limit=self.restart_limit if self.autorestart else 0,
        )

    def cull_rule(self) -> CullRule:
        """Return which kernels are ended for lack of use."""
        return CullRule(
            idle_s=self.cull_idle_timeout_s,
            interval_s=self.cull_interval_s,
            connected=self.cull_connected,
            busy=self.cull_busy,
        )

    def limits(self) -> RelayLimits:
        """Return what is kept for the clients of a kernel."""
        return RelayLimits(attach_wait_s=self.kernel_info_timeout_s)

    def rules(self) -> MessageRules:
        """Return what clients may say to kernels and hear from them."""
        return MessageRules(
            allowed=frozenset(_names(self.allowed_message_types)),
            untracked=frozenset(_names(self.untracked_message_types)) or UNTRACKED,
            tracebacks=self.allow_tracebacks,
            instead_of_traceback=self.traceback_replacement,
        )

    def kernelspec_choice(self) -> KernelspecChoice:
        """Return which kernelspecs may be started."""
        allowed = _names(self.allowed_kernelspecs)
        return KernelspecChoice(allowed=allowed, native=self.ensure_native_kernel)

    def kernel_environment(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Return what kernels have of the variables of this process."""
        names = _names(self.inherited_envs)
        if not names:
            return environ
        return {name: environ[name] for name in ("PATH", *names) if name in environ}

    def targets(self) -> tuple[str, ...]:
        """Return the targets to announce itself to."""
        return _names(self.kernels)

    def address(self) -> str:
        """Return the gRPC target under which others dial this runner."""
        return self.advertise or self.addresses()[0]

    def runner_labels(self) -> dict[str, str]:
        """Return what placement may ask for.

        Raises:
            SettingsError: if it cannot be understood.
        """
        pairs = [name.partition("=") for name in _names(self.labels)]
        if any(not key.strip() or not equals for key, equals, _ in pairs):
            raise SettingsError(f"{PREFIX}LABELS: must be like gpu=a100,zone=b")
        return {key.strip(): value.strip() for key, _, value in pairs}

    def spool_limits(self) -> SpoolLimits:
        """Return how much of journals may be on disk."""
        return SpoolLimits(
            kernel_bytes=self.journal_bytes,
            runner_bytes=self.journal_total_bytes,
            age_s=self.journal_age_s,
        )

    def warm_plan(self) -> WarmPlan:
        """Return which kernels to keep started beforehand.

        Raises:
            SettingsError: if it cannot be understood.
        """
        try:
            return WarmPlan.parse(self.warm)
        except InvalidArgument as error:
            raise SettingsError(f"{PREFIX}WARM: {error}") from error

    def verifier(self) -> RunnerVerifier:
        """Return what checks the credentials of calls to this runner.

        Raises:
            SettingsError: if the key is not 64 hexadecimal digits.
        """
        return RunnerVerifier(self.id, self.key())

    def key(self) -> bytes:
        """Return the key that is this runner's own.

        Raises:
            SettingsError: if it is not 64 hexadecimal digits.
        """
        try:
            key = bytes.fromhex(self.service_key.reveal())
        except ValueError:
            key = b""
        if len(key) != 32:  # noqa: PLR2004 - what `derive_key` returns
            raise SettingsError(f"{PREFIX}SERVICE_KEY: must be 64 hexadecimal digits")
        return key


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


@contextmanager
def refusing(*errors: type[Exception]) -> Iterator[None]:
    """End the process with status 2 if it cannot run as it is told to.

    The supervisor takes that for a reason not to start it again.
    """
    try:
        yield
    except errors as error:
        print(f"runner: {error}", file=sys.stderr)  # noqa: T201 - for whoever started it
        sys.exit(2)
