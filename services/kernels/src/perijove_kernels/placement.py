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
    waiting: int = 100
    """Starts that wait for a place."""
    longest_wait_s: float = 600.0
    """Longest that one waits."""


WORTH_WAITING = frozenset({"NO_CAPACITY", "TOO_MANY_KERNELS", "TOO_MANY_KERNELS_OF_USER"})
"""Reasons that pass by themselves."""
_RETRY_S = 1.0
"""Seconds after which it is worth another try, for each who waits before."""
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


@dataclass(frozen=True, slots=True)
class Queued:
    """A place in the queue of those who wait."""

    reason: str
    """Why there is no place for it now."""
    place: int
    """The first is 1."""
    length: int
    """How many wait."""
    since: str
    """When it began, as the store says it: who shows that again keeps the place."""


def after_waiting(error: DomainError, queued: Queued, waited_s: float) -> DomainError:
    """Return why there was no place although one has waited for it."""
    where = f"number {queued.place} of {queued.length} in the queue"
    if not isinstance(error, ResourceExhausted):
        return error
    return ResourceExhausted(
        f"{error}; waited {waited_s:.0f} s, and was {where}",
        reason=error.reason,
        violation=error.violation,
        retry_after_s=_RETRY_S * queued.place,
    )


def refusal(reason: str, kernelspec_name: str, wish: Wish, quotas: Quotas) -> DomainError:
    """Return why there is no place, by the name of the reason."""
    if reason == "NO_SUCH_KERNELSPEC":
        return NotFound(f"Kernel spec {kernelspec_name[:100]} not found", reason=reason)
    if reason == "NO_MATCHING_RUNNER":
        labels = ", ".join(f"{key}={value}" for key, value in sorted(wish.runner_labels.items()))
        return FailedPrecondition(f"no runner has the labels {labels[:500]}", reason=reason)
    if reason == "NO_CAPACITY":
        return ResourceExhausted("every runner is full, or being drained", reason=reason)
    if reason == "QUEUE_FULL":
        text = f"{quotas.waiting} wait for a place already, as many as may"
        return ResourceExhausted(text, reason=reason, retry_after_s=_RETRY_S * quotas.waiting)
    if reason in WORTH_WAITING:
        return _quota_reached(reason, wish, quotas)
    return Unavailable("no runner can be reached", reason="RUNNER_UNREACHABLE")


def _quota_reached(reason: str, wish: Wish, quotas: Quotas) -> ResourceExhausted:
    if reason == "TOO_MANY_KERNELS":
        subject = "all"
        text = f"there are {quotas.kernels} kernels, as many as there may be: shut one down first"
    else:
        subject, most = f"user:{wish.user}", quotas.kernels_per_user
        text = f"you have {most} kernels, as many as one may have: shut one down first"
    return ResourceExhausted(text, reason=reason, violation=QuotaViolation(subject, text))
