"""The one place that knows both a `DomainError` and a gRPC status."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from perijove_chassis import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAIN = "perijove"
"""`ErrorInfo.domain` of every error."""

_DETAILS_KEY = "grpc-status-details-bin"

CODE_BY_ERROR: dict[type[errors.DomainError], grpc.StatusCode] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
}

_ERROR_BY_CODE = {code: error for error, code in CODE_BY_ERROR.items()}


def code_of(error: errors.DomainError) -> grpc.StatusCode:
    """Return the status code that stands for an error."""
    for cls in type(error).__mro__:
        if cls in CODE_BY_ERROR:
            return CODE_BY_ERROR[cls]
    return grpc.StatusCode.INTERNAL


def trailers_of(error: errors.DomainError) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata that carries an error's `google.rpc.Status`."""
    status = status_pb2.Status(code=code_of(error).value[0], message=str(error))
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN))
    if isinstance(error, errors.ResourceExhausted):
        if found := error.violation:
            failure = error_details_pb2.QuotaFailure()
            failure.violations.add(subject=found.subject, description=found.description)
            status.details.add().Pack(failure)
        if error.retry_after_s is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromMilliseconds(round(error.retry_after_s * 1000))
            status.details.add().Pack(retry)
    return ((_DETAILS_KEY, status.SerializeToString()),)


def error_of(error: grpc.RpcError) -> errors.DomainError:
    """Return the meaning of a failed call.

    A code that no domain error stands for means that the callee is at fault:
    its text is not for others, so it becomes `Unavailable` without one.
    """
    code = error.code()
    cls = _ERROR_BY_CODE.get(code)
    if cls is None:
        return errors.Unavailable("a part of the service failed")
    message = error.details() or ""
    status = _status_of(error)
    reason = _reason_in(status)
    if cls is errors.Unavailable and not reason:
        # The text of gRPC itself: it names addresses.
        message = "a part of the service cannot be reached"
    if cls is errors.ResourceExhausted:
        return cls(
            message,
            reason=reason,
            violation=_violation_in(status),
            retry_after_s=_retry_after_in(status),
        )
    return cls(message, reason=reason)


@contextmanager
def rpc_errors_as_domain() -> Iterator[None]:
    """Turn the failure of a call made inside into its meaning.

    Raises:
        DomainError: whichever the callee raised, with its reason.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise error_of(error) from error


def _status_of(error: grpc.RpcError) -> status_pb2.Status:
    trailers: Any = error.trailing_metadata() or ()
    for key, value in trailers:
        if key == _DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def _reason_in(status: status_pb2.Status) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == DOMAIN:
            return str(info.reason)
    return ""


def _violation_in(status: status_pb2.Status) -> errors.QuotaViolation | None:
    failure = error_details_pb2.QuotaFailure()
    for detail in status.details:
        if detail.Unpack(failure) and failure.violations:
            first = failure.violations[0]
            return errors.QuotaViolation(str(first.subject), str(first.description))
    return None


def _retry_after_in(status: status_pb2.Status) -> float | None:
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(retry):
            return float(retry.retry_delay.ToMilliseconds() / 1000)
    return None
