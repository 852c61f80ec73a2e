"""The one place that knows both how a call fails and how HTTP says so."""

from __future__ import annotations

import html
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

import grpc
import structlog
from aiohttp import web
from perijove_chassis import errors, status

from perijove_gateway_http.keys import MATCH
from perijove_gateway_http.pages import page
from perijove_gateway_http.responses import html_response, json_response

if TYPE_CHECKING:
    from perijove_gateway_http.routing import Handler

log = structlog.get_logger()

STATUS_BY_ERROR: dict[type[errors.DomainError], int] = {
    errors.InvalidArgument: 400,
    errors.FailedPrecondition: 400,
    errors.PermissionDenied: 403,
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.Aborted: 409,
    errors.ResourceExhausted: 429,
    # The client's credential was good: it is this process's that is not.
    errors.Unauthenticated: 500,
    errors.Unavailable: 503,
    errors.DeadlineExceeded: 504,
}

STATUS_BY_REASON: dict[str, int] = {
    "STORAGE_FULL": 507,
    "VERSION_MISMATCH": 412,
    "NO_CAPACITY": 503,
    "LIMIT_EXCEEDED": 413,
    "NOT_ALLOWED": 500,
}
"""Where the cause says more than the class."""

REASON_PHRASES = {"BAD_TYPE": "bad type", "BAD_FORMAT": "bad format"}
"""Causes that clients are told in `reason`, and in the status line."""

RETRY_AFTER_S = 1
_INTERNAL = "the server could not complete the request"


class Problem(Exception):
    """A failure that the edge itself finds.

    Attributes:
        status: The HTTP status.
        message: For people; None for the phrase of the status.
        reason: What clients are told in `reason`, and in the status line.
        extra: Further members of the JSON body.
        headers: Headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        reason: str | None = None,
        extra: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message or _phrase(status)
        self.reason = reason
        self.extra = extra
        self.headers = headers or {}


def problem_of(error: grpc.RpcError | errors.DomainError, method: str = "") -> Problem:
    """Return what HTTP says of a failed call that was made for a request of a method."""
    meaning = error if isinstance(error, errors.DomainError) else status.error_of(error)
    code = STATUS_BY_REASON.get(meaning.reason, STATUS_BY_ERROR.get(type(meaning), 500))
    if code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem(code, _INTERNAL)
    if code == HTTPStatus.GATEWAY_TIMEOUT and not meaning.reason:
        return Problem(code, "a part of the service did not answer in time")
    if meaning.reason == "BAD_PATH" and method in ("GET", "HEAD"):
        # What cannot be named does not exist; only to change it is a mistake.
        return Problem(404, str(meaning))
    headers = {}
    if isinstance(meaning, errors.ResourceExhausted) and meaning.retry_after_s:
        headers["Retry-After"] = str(math.ceil(meaning.retry_after_s))
    return Problem(code, str(meaning), reason=REASON_PHRASES.get(meaning.reason), headers=headers)


def reason_of(error: grpc.RpcError) -> str:
    """Return the name of the `ErrorReason` a failed call carries, or an empty text."""
    return status.error_of(error).reason


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a failure in the form that the route's clients read."""
    try:
        return await handler(request)
    except ConnectionError:
        raise  # the client is gone: there is nobody to answer
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes an answer
        return _respond(request, _meaning(error, request.method))


def _meaning(error: Exception, method: str) -> Problem:
    match error:
        case Problem():
            return error
        case grpc.RpcError():
            _log_callee(error)
            return problem_of(error, method)
        case errors.DomainError():
            return problem_of(error, method)
        case web.HTTPRequestEntityTooLarge():
            return Problem(413, "the request body is too large")
        case web.HTTPException():
            return Problem(error.status)
    # Not ours to explain: the log gets the story, the client only the fact.
    log.error("unexpected error", exc_info=error)
    return Problem(500, _INTERNAL)


def _respond(request: web.Request, problem: Problem) -> web.Response:
    match = request.get(MATCH)
    if match is not None and match.row.guard.answers_json:
        body = {"message": problem.message, "reason": problem.reason, **(problem.extra or {})}
        response = json_response(body, problem.status)
    else:
        response = html_response(_page(problem), problem.status)
    if problem.reason:
        response.set_status(problem.status, problem.reason)
    response.headers.update(problem.headers)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return response


def _log_callee(error: grpc.RpcError) -> None:
    code = error.code()
    if type(status.error_of(error)) is errors.Unavailable:
        log.warning("a service failed", code=code.name)


def _page(problem: Problem) -> str:
    phrase = _phrase(problem.status)
    message = html.escape(problem.message)
    return page(phrase, f"<h1>{problem.status} : {phrase}</h1>\n<p>{message}</p>\n")


def _phrase(code: int) -> str:
    return HTTPStatus(code).phrase
