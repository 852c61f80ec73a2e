"""What the extension adds to the edge."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from perijove.kernels.v1 import kernels_pb2
from perijove_gateway_http.extensions import (
    Extension,
    Guard,
    Host,
    Problem,
    Route,
    caller,
    json_response,
    location,
    params,
    publish,
    redirect,
    services,
)

from perijove_greeting.events import GREETED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

MAX_NAME = 100
LOOK_EVERY_S = 1.0


class Greeting:
    """Answers requests. Its methods are the handlers."""

    def __init__(self) -> None:
        self._kernels = 0

    @asynccontextmanager
    async def run(self, host: Host) -> AsyncIterator[None]:
        """Count the kernels of all users from time to time, for as long as the edge serves."""
        async with asyncio.TaskGroup() as tasks:
            counting = tasks.create_task(self._count(host))
            yield
            counting.cancel()

    async def show(self, request: web.Request) -> web.Response:
        """GET greeting: a page for people."""
        return redirect(location(request, "static/greeting/index.html"))

    async def greet(self, request: web.Request) -> web.Response:
        """GET greeting/api/hello: who asks, and how many kernels there are."""
        user = caller(request)
        # For the user who asks; `run` counts for nobody in particular.
        reply = await services(request).kernels.ListKernels(kernels_pb2.ListKernelsRequest())
        return json_response(
            {
                "hello": user.display_name if user else None,
                "kernels": len(reply.kernels),
                "counted": self._kernels,
            }
        )

    async def greet_somebody(self, request: web.Request) -> web.Response:
        """POST greeting/api/hello/{name}: tell all who follow events."""
        name = params(request)["name"]
        if len(name) > MAX_NAME:
            raise Problem(400, f"a name has at most {MAX_NAME} characters")
        await publish(request, GREETED, "1", {"name": name})
        return json_response({"greeted": name}, status=201)

    async def _count(self, host: Host) -> None:
        while True:
            with suppress(grpc.RpcError):  # it may be better the next time
                wanted = kernels_pb2.ListKernelsRequest()
                self._kernels = len((await host.services.kernels.ListKernels(wanted)).kernels)
            await asyncio.sleep(LOOK_EVERY_S)


def extension() -> Extension:
    """Return the extension. It is made once, when the edge starts."""
    greeting = Greeting()
    return Extension(
        routes=(
            # Who has no credential is sent to the login page.
            Route("GET", "greeting", greeting.show, Guard.PAGE),
            # Who has none gets 403: that is so if nothing is said.
            Route("GET", "greeting/api/hello", greeting.greet),
            Route("POST", "greeting/api/hello/{name}", greeting.greet_somebody),
        ),
        static=Path(__file__).parent / "static",
        page_config={"greetingUrl": "/greeting"},
        run=greeting.run,
    )
