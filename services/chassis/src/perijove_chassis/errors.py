"""Errors as meaning.

Rules raise these; `status.py` maps them to gRPC, the edge maps them to HTTP. A
message is for people and names nothing of the machine: no OS path, no secret.

    DomainError
     +- InvalidArgument      the request is wrong, whatever the state
     +- FailedPrecondition   the state does not allow it
     +- NotFound             there is no such thing, or it is hidden
     +- AlreadyExists        something is in the way
     +- Aborted              a race was lost; the caller may begin again
     +- ResourceExhausted    a limit is reached
     +- Unauthenticated      no valid credential
     +- PermissionDenied     a valid credential that may not do this
     +- Unavailable          try again later
     +- DeadlineExceeded     it took longer than it may
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuotaViolation:
    """A limit that is reached."""

    subject: str
    """Whose limit it is, such as `user:ada`; `all` if it is everybody's."""
    description: str
    """The limit in a sentence, for people."""


class DomainError(Exception):
    """A failure the caller is told about.

    Attributes:
        reason: The cause, finer than the class: the name of a value of the
            `ErrorReason` enum of the protos without its prefix, or empty.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class InvalidArgument(DomainError):
    """The request is wrong, whatever the state."""


class FailedPrecondition(DomainError):
    """The present state does not allow it."""


class NotFound(DomainError):
    """There is no such thing, or it is hidden."""


class AlreadyExists(DomainError):
    """Something is in the way."""


class Aborted(DomainError):
    """A race was lost; the caller may begin again."""


class ResourceExhausted(DomainError):
    """A limit is reached.

    Attributes:
        violation: Which one, if it is a quota.
        retry_after_s: After how many seconds it is worth another try, if that is known.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        violation: QuotaViolation | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.violation = violation
        self.retry_after_s = retry_after_s


class Unauthenticated(DomainError):
    """The call carries no valid credential."""


class PermissionDenied(DomainError):
    """The credential is valid and may not do this."""


class Unavailable(DomainError):
    """Something needed cannot be reached now; try again later."""


class DeadlineExceeded(DomainError):
    """It took longer than it may."""
