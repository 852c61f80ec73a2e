"""What the sessions process is told."""

from __future__ import annotations

from typing import Annotated

import msgspec
from perijove_chassis.settings import Secret, ServerSettings


class Settings(ServerSettings, frozen=True, kw_only=True):
    """Settings of the sessions process; variables begin with `PERIJOVE_SESSIONS_`."""

    redis_url: Secret
    """Where sessions are kept: `redis://host:port/0`, `unix:///path`, sentinels or a cluster."""
    contents: str
    """gRPC target of the contents service."""
    kernels: str
    """gRPC target of the kernels service."""
    event_schemas: str = ""
    """Directory of further schemas of events, absolute; none if empty."""
    events_kept: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """Most events that are kept for who comes back."""
