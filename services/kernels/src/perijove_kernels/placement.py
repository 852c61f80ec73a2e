"""What a kernel's place is wanted for, how many there may be, and why there is none."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - wishes are encoded by their annotations
from dataclasses import dataclass, field

from perijove_chassis.errors import (
    DomainError,
    FailedPrecondition,
    NotFound,
    QuotaViolation,
    ResourceExhausted,
    Unavailable,
)


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many kernels there may be: those that run, those of lost runners, and those to come."""

    kernels: int = 0
    """In all; any number if zero."""
    kernels_per_user: int = 0
    """Of one user; any number if zero. Kernels of nobody in particular have no such limit."""


UNLIMITED = Quotas()
"""Any number of kernels."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a place must be like, beside its kernelspec."""

    user: str = ""
    """Whose kernel it is; empty if nobody's in particular."""
    runner_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that the runner must have."""
    avoid: tuple[str, ...] = ()
    """Ids of runners that have just refused it."""


ANY = Wish()
"""Any place will do."""


def refusal(reason: str, kernelspec_name: str, wish: Wish, quotas: Quotas) -> DomainError:
    """Return why there is no place, by the name of the reason."""
    if reason == "NO_SUCH_KERNELSPEC":
        return NotFound(f"Kernel spec {kernelspec_name[:100]} not found", reason=reason)
    if reason == "NO_MATCHING_RUNNER":
        labels = ", ".join(f"{key}={value}" for key, value in sorted(wish.runner_labels.items()))
        return FailedPrecondition(f"no runner has the labels {labels[:500]}", reason=reason)
    if reason == "TOO_MANY_KERNELS":
        text = f"there are {quotas.kernels} kernels, as many as there may be: shut one down first"
        return ResourceExhausted(text, reason=reason, violation=QuotaViolation("all", text))
    if reason == "TOO_MANY_KERNELS_OF_USER":
        most = quotas.kernels_per_user
        text = f"you have {most} kernels, as many as one may have: shut one down first"
        violation = QuotaViolation(f"user:{wish.user}", text)
        return ResourceExhausted(text, reason=reason, violation=violation)
    if reason == "NO_CAPACITY":
        return ResourceExhausted("every runner is full, or being drained", reason=reason)
    return Unavailable("no runner can be reached", reason="RUNNER_UNREACHABLE")
