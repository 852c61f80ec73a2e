"""What a runner is told of terminals."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

PREFIX: Final = "PERIJOVE_RUNNER_TERMINAL_"


class TerminalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of terminals: `PERIJOVE_RUNNER_TERMINAL_SHELL` and so on."""

    shell: str = ""
    """Command line to run in them; if empty, `$SHELL`, or else `sh`."""
    login: bool = True
    """Whether the usual shell is a login shell, which sets up the user's environment.
    It need not, if the runner was started from one that is set up already."""
    most: Annotated[int, msgspec.Meta(ge=0)] = 50
    """Most terminals there may be at the same time; with 0, there are none."""
    kept_bytes: Annotated[int, msgspec.Meta(ge=512 * 1024)] = 1024 * 1024
    """Bytes of its latest output that are kept for each, here and beside its shell."""
    cull_inactive_timeout_s: float = 0.0
    """Seconds without anything typed or shown after which a terminal is ended; never if 0."""
    cull_interval_s: float = 300.0
    """Seconds between two looks for such."""
