"""What HTTP says of each way in which a call fails."""

from __future__ import annotations

import pytest
from perijove.errors.v1 import errors_pb2
from perijove_chassis import errors
from perijove_chassis.status import CODE_BY_ERROR
from perijove_gateway_http.problems import (
    REASON_PHRASES,
    STATUS_BY_ERROR,
    STATUS_BY_REASON,
    problem_of,
)


def test_every_error_has_a_status() -> None:
    assert set(STATUS_BY_ERROR) == set(CODE_BY_ERROR)


def test_reasons_are_those_of_the_contract() -> None:
    names = errors_pb2.ErrorReason.DESCRIPTOR.values_by_name
    known = {name.removeprefix("ERROR_REASON_") for name in names}
    assert {*STATUS_BY_REASON, *REASON_PHRASES} <= known


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (errors.InvalidArgument("m"), 400, None),
        (errors.InvalidArgument("m", reason="BAD_TYPE"), 400, "bad type"),
        (errors.InvalidArgument("m", reason="BAD_FORMAT"), 400, "bad format"),
        (errors.FailedPrecondition("m", reason="DIRECTORY_NOT_EMPTY"), 400, None),
        (errors.NotFound("m", reason="NO_SUCH_KERNEL"), 404, None),
        (errors.AlreadyExists("m", reason="ENTRY_EXISTS"), 409, None),
        (errors.PermissionDenied("m", reason="NO_PERMISSION"), 403, None),
        (errors.ResourceExhausted("m", reason="LIMIT_EXCEEDED"), 413, None),
        (errors.ResourceExhausted("m", reason="NO_CAPACITY"), 503, None),
        (errors.ResourceExhausted("m", reason="TOO_MANY_KERNELS_OF_USER"), 429, None),
        (errors.ResourceExhausted("m", reason="STORAGE_FULL"), 507, None),
        (errors.Unavailable("m", reason="RUNNER_UNREACHABLE"), 503, None),
    ],
)
def test_failed_call_is_told_with_its_message(
    error: errors.DomainError, status: int, reason: str | None
) -> None:
    problem = problem_of(error, "POST")
    assert (problem.status, problem.reason, problem.message) == (status, reason, "m")


def test_when_to_try_again_is_told_if_it_is_known() -> None:
    error = errors.ResourceExhausted("m", reason="TOO_MANY_KERNELS", retry_after_s=2.5)
    assert problem_of(error).headers == {"Retry-After": "3"}


def test_path_that_cannot_be_named_is_absent_to_readers() -> None:
    error = errors.InvalidArgument("m", reason="BAD_PATH")
    assert [problem_of(error, method).status for method in ("GET", "PUT")] == [404, 400]


@pytest.mark.parametrize(
    "error",
    [
        errors.Unauthenticated("secret", reason="NO_CREDENTIAL"),
        errors.PermissionDenied("secret", reason="NOT_ALLOWED"),
    ],
)
def test_fault_between_processes_is_not_the_clients(error: errors.DomainError) -> None:
    problem = problem_of(error, "GET")
    assert problem.status == 500
    assert "secret" not in problem.message


def test_silent_service_is_told_in_our_words() -> None:
    problem = problem_of(errors.DeadlineExceeded("Deadline Exceeded on 10.0.0.1"), "GET")
    assert problem.status == 504
    assert "10.0.0.1" not in problem.message
