"""`api/sessions`: which kernel serves which document."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import grpc
import msgspec
from google.protobuf.field_mask_pb2 import FieldMask
from perijove.sessions.v1 import sessions_pb2 as pb

from perijove_gateway_http.bodies import parse_given, read_json
from perijove_gateway_http.fence import fenced
from perijove_gateway_http.keys import LISTS, PARAMS, SETTINGS, STUBS
from perijove_gateway_http.models import session_model
from perijove_gateway_http.problems import Problem, problem_of, reason_of
from perijove_gateway_http.responses import (
    json_bytes_response,
    json_response,
    location,
    no_content,
)
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

T = TypeVar("T")

_ONE = r"api/sessions/{session_id:\w+-\w+-\w+-\w+-\w+}"


class _Kernel(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _Notebook(msgspec.Struct):
    path: str | None = None
    name: str | None = None


class _Body(msgspec.Struct):
    path: str | None = None
    name: str | None = None
    type: str | None = None
    kernel: _Kernel | None = None
    notebook: _Notebook | None = None
    """How clients of ten years ago named the document."""

    def document(self) -> tuple[str | None, str | None]:
        """Return path and type, also of an old client."""
        if self.notebook and self.path is None:
            return self.notebook.path or self.notebook.name, "notebook"
        return self.path, self.type


async def list_all(request: web.Request) -> web.Response:
    """GET api/sessions: those whose kernel runs."""
    if not request.app[SETTINGS].list_kernels:
        raise Problem(403, "Sessions are not listed here")
    return json_bytes_response(await request.app[LISTS].sessions())


async def create(request: web.Request) -> web.Response:
    """POST api/sessions: one for a document, with a kernel; 201 also if it has one."""
    body = await read_json(request, _Body)
    if body is None:
        raise Problem(400, "No JSON data provided")
    path, kind = body.document()
    if path is None:
        raise Problem(400, "Missing field in JSON data: path")
    if kind is None:
        raise Problem(400, "Missing field in JSON data: type")
    create_request = pb.CreateSessionRequest(
        path=path, name=body.name, type=kind, kernel=_choice(body.kernel)
    )
    wanted = (body.kernel and body.kernel.name) or "default"
    reply = await _told_of_kernels(
        request.app[STUBS].sessions.CreateSession(create_request), wanted
    )
    session = reply.session
    headers = {"Location": location(request, "api/sessions", session.session_id)}
    return json_response(session_model(session), 201, headers)


async def get(request: web.Request) -> web.Response:
    """GET api/sessions/{id}."""
    reply = await request.app[STUBS].sessions.GetSession(
        pb.GetSessionRequest(session_id=request[PARAMS]["session_id"])
    )
    return json_response(session_model(reply.session))


async def update(request: web.Request) -> web.Response:
    """PATCH api/sessions/{id}: another path, name, type or kernel."""
    raw = await request.read()
    if raw.strip() in (b"", b"null"):
        raise Problem(400, "No JSON data provided")
    body = await parse_given(raw, _Body) or _Body()
    path, kind = body.document()
    given = {"path": path, "name": body.name, "type": kind, "kernel": _choice(body.kernel)}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        return await get(request)
    update_request = pb.UpdateSessionRequest(
        session_id=request[PARAMS]["session_id"],
        update_mask=FieldMask(paths=list(changes)),
        **changes,  # type: ignore[arg-type]
    )
    wanted = (body.kernel and body.kernel.name) or "default"
    reply = await _told_of_kernels(
        request.app[STUBS].sessions.UpdateSession(update_request), wanted, changes=True
    )
    return json_response(session_model(reply.session))


async def delete(request: web.Request) -> web.Response:
    """DELETE api/sessions/{id}: and shut its kernel down."""
    await request.app[STUBS].sessions.DeleteSession(
        pb.DeleteSessionRequest(session_id=request[PARAMS]["session_id"])
    )
    return no_content()


def _choice(kernel: _Kernel | None) -> pb.KernelChoice | None:
    if kernel is None or not (kernel.id or kernel.name):
        return None
    if kernel.id:
        return pb.KernelChoice(kernel_id=kernel.id, kernelspec_name=kernel.name or "")
    return pb.KernelChoice(kernelspec_name=kernel.name or "")


async def _told_of_kernels(call: Awaitable[T], name: str, *, changes: bool = False) -> T:
    """Await a call that may start a kernel, and say what front ends show if it fails.

    Raises:
        Problem: 501 if the kernel cannot be started.
    """
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        reason = reason_of(error)
        if reason == "NO_SUCH_KERNELSPEC" and not changes:
            message = (
                f"The '{name}' kernel is not available. Please pick another suitable kernel "
                "instead, or install that kernel."
            )
            raise Problem(501, message, extra={"short_message": f"{name} not found"}) from None
        if reason in ("KERNEL_START_FAILED", "NO_SUCH_KERNELSPEC"):
            why = problem_of(error).message
            message = f"The '{name}' kernel could not be started: '{why}'"
            short = f"Error starting kernel {name}"
            raise Problem(501, message, extra={"short_message": short}) from None
        raise


ROUTES = (
    Route("GET", "api/sessions", list_all),
    Route("POST", "api/sessions", fenced(create)),
    Route("GET", _ONE, fenced(get)),
    Route("PATCH", _ONE, fenced(update)),
    Route("DELETE", _ONE, fenced(delete)),
)
