"""What a process is told: our environment, without what is for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_chassis import grpc_switches

from perijove_local import hub

if TYPE_CHECKING:
    from collections.abc import Mapping

_ON_THE_WAY = ("runner", "gateway_http", "contents")
"""What the messages of kernels pass through, and what people save and open."""


_HUBS = ("runner", "gateway_http")
"""What is told the secrets of a hub that has started all this."""

KERNELS_GRACE_S = 10.0
"""Seconds for a runner: kernels are asked to shut down before they are ended."""


def drain_s(inherited: Mapping[str, str]) -> float:
    """Return how many seconds a runner takes to be drained when it is told to stop."""
    try:
        return float(inherited.get("PERIJOVE_RUNNER_DRAIN_ON_STOP_S") or 0)
    except ValueError:
        return 0.0  # the runner says that it is none


def environment(
    name: str, inherited: Mapping[str, str], log_level: str, told: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a process: ours without the secrets and settings of others."""
    prefix = f"PERIJOVE_{name.upper()}_"
    kept = {
        variable: value
        for variable, value in inherited.items()
        if not variable.startswith("PERIJOVE_") or variable.startswith(prefix)
    }
    for_others = () if name in _HUBS else hub.SECRETS
    for variable in ("JUPYTER_TOKEN", "JPY_PARENT_PID", *for_others):
        kept.pop(variable, None)
    if name in _ON_THE_WAY:
        kept.setdefault(grpc_switches.VARIABLE, grpc_switches.FEWER_THREADS)
    kept[f"{prefix}LOG_LEVEL"] = log_level
    return kept | {f"{prefix}{key}": value for key, value in told.items()}
