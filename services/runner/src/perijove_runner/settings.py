"""What a runner is told."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from perijove_chassis.credentials import RunnerVerifier
from perijove_chassis.settings import ServerSettings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "PERIJOVE_RUNNER_"


class RunnerSettings(ServerSettings, frozen=True, kw_only=True):
    """Settings of a runner: `PERIJOVE_RUNNER_ID` and so on."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """Unique among all runners, and the same after a restart."""
    state_dir: str
    """Absolute directory of its own, with a short path: sockets are in it."""
    kernels: str = ""
    """gRPC targets of the kernels service, separated by commas; none if empty."""
    capacity: Annotated[int, msgspec.Meta(ge=1)] = 100
    """Most kernels it takes."""
    advertise: str = ""
    """gRPC target under which others dial it; if empty, what it listens on."""
    kernels_on_stop: Literal["shutdown", "keep"] = "shutdown"
    """What becomes of its kernels when it is told to stop: with `keep` they run
    on for the next runner of the same state directory. Killed, it keeps them."""

    def targets(self) -> tuple[str, ...]:
        """Return the targets to announce itself to."""
        return tuple(target for part in self.kernels.split(",") if (target := part.strip()))

    def address(self) -> str:
        """Return the gRPC target under which others dial this runner."""
        return self.advertise or self.listen

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
