"""What the kernels process is told."""

from __future__ import annotations

from typing import Annotated

import msgspec
from perijove_chassis.settings import Secret, ServerSettings

from perijove_kernels.placement import Quotas
from perijove_kernels.store import Limits


class Settings(ServerSettings, frozen=True, kw_only=True):
    """Settings of the kernels process; variables begin with `PERIJOVE_KERNELS_`."""

    redis_url: Secret
    """Where the registry is kept: `redis://host:port/0`, `unix:///path`, sentinels or a cluster."""
    events: str = ""
    """gRPC target of the service that publishes events; none are if empty."""
    default_kernelspec: str = "python3"
    """Kernelspec that is used where none is named."""
    forced_kernelspec: str = ""
    """Kernelspec that is used whichever is named; empty if the one that is named."""
    lost_after_s: float = 15.0
    """Seconds without a word from a runner after which it counts as lost."""
    forget_after_s: float = 300.0
    """Seconds without a word from a runner after which it is forgotten."""
    pool_listen: str = ""
    """Where runners of other machines join, `host:port`, with TLS; nowhere if empty."""
    pool_dir: str = ""
    """Private directory of the authority and of the tokens to join with."""
    pool_certificate_days: float = 30.0
    """Days that the certificate of a runner holds. It is renewed halfway."""

    max_kernels: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Most kernels in all, those of lost runners included; any number if zero."""
    max_kernels_per_user: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Most kernels of one user; any number if zero. All replicas are to be told the same."""

    max_waiting: Annotated[int, msgspec.Meta(ge=0)] = 100
    """Most starts that wait for a place, at all replicas together."""
    max_wait_s: Annotated[float, msgspec.Meta(ge=0)] = 600.0
    """Longest that one waits, whatever its caller says."""

    @property
    def quotas(self) -> Quotas:
        """How many kernels there may be, and how many may wait for one."""
        return Quotas(
            self.max_kernels, self.max_kernels_per_user, self.max_waiting, self.max_wait_s
        )

    @property
    def limits(self) -> Limits:
        """After how long a silent runner is given up."""
        return Limits(self.lost_after_s, self.forget_after_s)
