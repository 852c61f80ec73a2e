"""`api/kernelspecs` and their files: what kernels can be started."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING, Any

from perijove.kernels.v1 import kernelspecs_pb2 as pb

from perijove_gateway_http import streaming
from perijove_gateway_http.keys import PARAMS, SETTINGS, STUBS
from perijove_gateway_http.models import kernelspec_model
from perijove_gateway_http.responses import json_response
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

_NAME = r"{name:[\w\.\-%]+}"
_RESOURCE = "kernelspecs/" + _NAME + "/{resource}"


async def list_all(request: web.Request) -> web.Response:
    """GET api/kernelspecs: every one, by name."""
    base_url = request.app[SETTINGS].base_url
    models: dict[str, Any] = {}
    token = ""
    while True:
        reply = await request.app[STUBS].kernelspecs.ListKernelspecs(
            pb.ListKernelspecsRequest(page_token=token)
        )
        models.update((spec.name, kernelspec_model(spec, base_url)) for spec in reply.kernelspecs)
        token = reply.next_page_token
        if not token:
            return json_response({"default": reply.default_kernelspec_name, "kernelspecs": models})


async def get(request: web.Request) -> web.Response:
    """GET api/kernelspecs/{name}: one, under the spelling that was asked for."""
    name = request[PARAMS]["name"]
    reply = await request.app[STUBS].kernelspecs.GetKernelspec(pb.GetKernelspecRequest(name=name))
    return json_response(kernelspec_model(reply.kernelspec, request.app[SETTINGS].base_url, name))


async def get_resource(request: web.Request) -> web.StreamResponse:
    """GET kernelspecs/{name}/{file}: a file of a kernelspec, such as its logo."""
    params = request[PARAMS]
    call = request.app[STUBS].kernelspecs.ReadKernelspecResource(
        pb.ReadKernelspecResourceRequest(name=params["name"], resource=params["resource"])
    )
    mime_type, _ = mimetypes.guess_type(params["resource"])
    headers = {"Content-Type": mime_type or "application/octet-stream"}
    if params["resource"].endswith(".png"):
        headers["Cache-Control"] = "max-age=2592000"
    try:
        return await streaming.send(request, _chunks(aiter(call)), headers)
    finally:
        call.cancel()


async def _chunks(
    responses: AsyncIterator[pb.ReadKernelspecResourceResponse],
) -> AsyncIterator[bytes]:
    async for response in responses:
        yield response.chunk


ROUTES = (
    Route("GET", "api/kernelspecs", list_all),
    Route("GET", "api/kernelspecs/" + _NAME, get),
    Route("GET", _RESOURCE, get_resource, Guard.PAGE),
    Route("HEAD", _RESOURCE, get_resource, Guard.PAGE),
)
