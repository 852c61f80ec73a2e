"""`api/kernels`: start, list, interrupt, restart and stop kernels."""

from __future__ import annotations

import grpc
import msgspec
from aiohttp import web
from perijove.contents.v1 import contents_pb2
from perijove.kernels.v1 import kernels_pb2 as pb

from perijove_gateway_http.bodies import read_json
from perijove_gateway_http.fence import fenced
from perijove_gateway_http.keys import CALLER, LISTS, PARAMS, SETTINGS, STUBS
from perijove_gateway_http.models import kernel_model
from perijove_gateway_http.problems import Problem, problem_of, reason_of
from perijove_gateway_http.responses import (
    json_bytes_response,
    json_response,
    location,
    no_content,
)
from perijove_gateway_http.routing import Route
from perijove_gateway_http.waiting import CLIENT_IS_GONE, preferred_wait_s, while_it_waits

_WANTED = frozenset(
    {
        pb.EXIT_CAUSE_SHUTDOWN,
        pb.EXIT_CAUSE_RESTARTED,
        pb.EXIT_CAUSE_CULLED,
        pb.EXIT_CAUSE_RUNNER_STOPPED,
        pb.EXIT_CAUSE_RUNNER_DRAINED,
    }
)
"""Ends that somebody meant."""
_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_START_S = 70.0
"""Longest that a start takes, once there is a place."""
_ONE = r"api/kernels/{kernel_id:\w+-\w+-\w+-\w+-\w+}"


class _Start(msgspec.Struct):
    name: str | None = None
    path: str | None = None
    kernel_id: str | None = None
    env: dict[str, str] | None = None


async def list_all(request: web.Request) -> web.Response:
    """GET api/kernels: those that run, in the order they were started."""
    if not request.app[SETTINGS].list_kernels:
        raise Problem(403, "Kernels are not listed here")
    return json_bytes_response((await request.app[LISTS].kernels()).json)


async def start(request: web.Request) -> web.Response:
    """POST api/kernels: start one. Of `env`, names that begin with `KERNEL_` count.

    Those are what a server that uses this one as its gateway sends; which others
    count is for who runs the server to say. `KERNEL_WORKING_DIR` is where the kernel
    starts, if the runner has that directory, unless the body has a `path`.

    Who sends `Prefer: wait=SECONDS` is not refused at once if there is no place.
    """
    body = await read_json(request, _Start) or _Start()
    stubs = request.app[STUBS]
    environment = _environment(body.env or {}, request.app[SETTINGS].client_variables())
    directory = "" if body.path else environment.get("KERNEL_WORKING_DIR", "")
    if not directory.startswith("/"):
        where = await stubs.contents.GetKernelPath(
            contents_pb2.GetKernelPathRequest(path=(body.path or "").strip("/"))
        )
        directory = where.working_directory
    started = pb.StartKernelRequest(
        kernel_id=body.kernel_id or "",
        kernelspec_name=body.name or "",
        working_directory=directory,
        environment=environment,
    )
    wait_s = preferred_wait_s(request)
    if wait_s:
        started.wait.FromSeconds(wait_s)
    try:
        call = stubs.kernels.StartKernel(started, timeout=_START_S + wait_s)
        reply = await (while_it_waits(request, call) if wait_s else call)
    except grpc.aio.AioRpcError as error:
        match reason_of(error):
            case "NO_SUCH_KERNELSPEC":
                # The address is right and the body is not: a 404 would say the opposite.
                raise Problem(400, problem_of(error).message) from None
            case "KERNEL_START_FAILED":
                # The client has made no mistake.
                raise Problem(500, problem_of(error).message) from None
        raise
    if reply is None:
        return web.Response(status=CLIENT_IS_GONE)
    kernel = reply.kernel
    headers = {"Location": location(request, "api/kernels", kernel.kernel_id)}
    return json_response(kernel_model(kernel), 201, headers)


async def get(request: web.Request) -> web.Response:
    """GET api/kernels/{id}; also one that has just died for good.

    A front end that cannot open the socket asks for the kernel, and shows a person
    why it is dead. One that was shut down does not exist, as all expect.
    """
    kernel_id = request[PARAMS]["kernel_id"]
    reply = await request.app[STUBS].kernels.GetKernel(
        pb.GetKernelRequest(kernel_id=kernel_id, show_ended=True)
    )
    ended = reply.kernel.last_exit
    is_dead = reply.kernel.execution_state == pb.EXECUTION_STATE_DEAD
    if is_dead and ended.cause in _WANTED:
        raise Problem(404, f"Kernel does not exist: {kernel_id}. {ended.message}")
    return json_response(kernel_model(reply.kernel))


async def delete(request: web.Request) -> web.Response:
    """DELETE api/kernels/{id}: answer once it is gone."""
    await request.app[STUBS].kernels.ShutdownKernel(
        pb.ShutdownKernelRequest(kernel_id=request[PARAMS]["kernel_id"], requested_by=_who(request))
    )
    return no_content()


async def interrupt(request: web.Request) -> web.Response:
    """POST api/kernels/{id}/interrupt."""
    await request.app[STUBS].kernels.InterruptKernel(
        pb.InterruptKernelRequest(kernel_id=request[PARAMS]["kernel_id"])
    )
    return no_content()


async def restart(request: web.Request) -> web.Response:
    """POST api/kernels/{id}/restart: answer once the new process does."""
    try:
        reply = await request.app[STUBS].kernels.RestartKernel(
            pb.RestartKernelRequest(
                kernel_id=request[PARAMS]["kernel_id"], requested_by=_who(request)
            )
        )
    except grpc.aio.AioRpcError as error:
        if reason_of(error) == "NO_SUCH_KERNEL" or error.code() is _INVALID:
            raise
        # Front ends show the text, and below it why.
        why = {"traceback": problem_of(error).message}
        raise Problem(500, "Exception restarting kernel", extra=why) from None
    return json_response(kernel_model(reply.kernel))


def _environment(env: dict[str, str], allowed: frozenset[str]) -> dict[str, str]:
    return {
        name: value for name, value in env.items() if name.startswith("KERNEL_") or name in allowed
    }


def _who(request: web.Request) -> str:
    caller = request[CALLER]
    return caller.user.name if caller else ""


ROUTES = (
    Route("GET", "api/kernels", list_all),
    Route("POST", "api/kernels", fenced(start)),
    Route("GET", _ONE, fenced(get)),
    Route("DELETE", _ONE, fenced(delete)),
    Route("POST", _ONE + "/interrupt", fenced(interrupt)),
    Route("POST", _ONE + "/restart", fenced(restart)),
)
