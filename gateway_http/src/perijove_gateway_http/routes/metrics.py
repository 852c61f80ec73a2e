"""`metrics`: counts and times, for Prometheus."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import grpc
from aiohttp import web
from perijove.terminals.v1 import terminals_pb2
from perijove_chassis.errors import DomainError
from perijove_chassis.permissions import for_nobody
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from perijove_gateway_http.keys import (
    ACTIVITY,
    AUTH,
    CALLER,
    EXTENSIONS,
    LISTS,
    METRICS,
    SETTINGS,
    SOCKETS,
    STUBS,
)
from perijove_gateway_http.metrics import Snapshot
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.routes.api import API_VERSION
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from perijove_gateway_http.lists import ListedKernels

_ASKED_S = 2.0
"""How long a service may take to say what it has: Prometheus comes again."""


async def get(request: web.Request) -> web.Response:
    """GET metrics: those of this process, and what runs."""
    app = request.app
    needs_user = app[SETTINGS].authenticate_metrics and app[AUTH].needs_credential
    if needs_user and request[CALLER] is None:
        raise Problem(403)
    listed, terminals = await asyncio.gather(_kernels(request), _terminals(request))
    activity = app[ACTIVITY]
    snapshot = Snapshot(
        version=API_VERSION,
        extensions=app[EXTENSIONS].names,
        kernels=_by_kernelspec(listed) if listed else None,
        terminals=terminals,
        websockets=len(app[SOCKETS]),
        started=activity.started,
        last_activity=max(activity.last, listed.last_activity if listed else 0.0),
    )
    body = generate_latest(app[METRICS].registry) + snapshot.text()
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _by_kernelspec(listed: ListedKernels) -> Counter[str]:
    return Counter(kernel.kernelspec_name for kernel in listed.kernels)


async def _kernels(request: web.Request) -> ListedKernels | None:
    try:
        async with asyncio.timeout(_ASKED_S):
            return await request.app[LISTS].kernels()
    except (grpc.RpcError, DomainError, TimeoutError):
        return None


async def _terminals(request: web.Request) -> int | None:
    if not request.app[SETTINGS].terminals:
        return None
    # Who may see metrics may see how many there are, and else nothing of them.
    asked, count = terminals_pb2.ListTerminalsRequest(), 0
    try:
        async with asyncio.timeout(_ASKED_S):
            while True:
                with for_nobody():
                    reply = await request.app[STUBS].terminals.ListTerminals(asked)
                count += len(reply.terminals)
                asked.page_token = reply.next_page_token
                if not asked.page_token:
                    return count
    except (grpc.RpcError, DomainError, TimeoutError):
        return None


# Whether it needs a credential is said by a setting.
ROUTES = (Route("GET", "metrics", get, Guard.PUBLIC),)
