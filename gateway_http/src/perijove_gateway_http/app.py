"""Puts the edge together."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web, web_response
from multidict import CIMultiDict

from perijove_gateway_http.activity import Activity
from perijove_gateway_http.arrivals import KernelArrivals
from perijove_gateway_http.dispatch import dispatch, observed
from perijove_gateway_http.ending import Launcher, seconds_unused, stop_when_unused
from perijove_gateway_http.event_feed import EventFeed
from perijove_gateway_http.extensions.loading import Extensions
from perijove_gateway_http.extensions.registration import Host
from perijove_gateway_http.forwarding import Forwarding
from perijove_gateway_http.headers import SERVER, add_headers, tagged
from perijove_gateway_http.identity.assembly import Identity
from perijove_gateway_http.identity.hub_activity import HubActivity
from perijove_gateway_http.identity.revoking import Revoking
from perijove_gateway_http.keys import (
    ACTIVITY,
    ARRIVALS,
    AUTH,
    AUTHORIZER,
    EVENTS,
    EXTENSIONS,
    FLOW,
    FORWARDING,
    FRONTEND,
    HEADERS,
    HUB_ACTIVITY,
    LAUNCHER,
    LISTS,
    METRICS,
    ORIGINS,
    READINESS,
    REVOKING,
    SETTINGS,
    SOCKETS,
    STUBS,
    TABLE,
)
from perijove_gateway_http.lab.frontend import Frontend
from perijove_gateway_http.lab.installation import Installation
from perijove_gateway_http.lists import Lists
from perijove_gateway_http.metrics import HttpMetrics
from perijove_gateway_http.models import timestamp_of
from perijove_gateway_http.origins import Origins
from perijove_gateway_http.problems import problems
from perijove_gateway_http.routing import RawPathResource, Table
from perijove_gateway_http.sockets import Sockets
from perijove_gateway_http.starting import Readiness
from perijove_gateway_http.stubs import Stubs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from perijove_gateway_http.identity.hub import Hub
    from perijove_gateway_http.routing import Route
    from perijove_gateway_http.settings import Settings


def build_app(
    settings: Settings,
    routes: Sequence[Route],
    *,
    on_loopback: bool,
    extensions: Extensions | None = None,
) -> web.Application:
    """Make the application. It connects to the services when they are first needed.

    Args:
        settings: What the process was told.
        routes: Every route, in order of precedence.
        on_loopback: Whether only this machine can reach the socket.
        extensions: What installed packages add, after all routes.
    """
    # What answers a request that cannot even be parsed takes its name from here.
    setattr(web_response, "SERVER_SOFTWARE", SERVER)  # noqa: B010 - not exported
    app = web.Application(
        middlewares=(observed, problems, tagged), client_max_size=settings.max_body_bytes
    )
    app[SETTINGS] = settings
    app[ORIGINS] = Origins(settings, on_loopback=on_loopback)
    app[FORWARDING] = Forwarding(is_trusted=settings.trust_xheaders or settings.hub)
    app[LAUNCHER] = Launcher(settings.launcher_fd)
    app[HEADERS] = CIMultiDict(settings.extra_headers())
    app[FRONTEND] = Frontend(Installation.find(os.environ))
    app[EXTENSIONS] = extensions or Extensions()
    app[TABLE] = Table(settings.base_url, (*routes, *app[EXTENSIONS].routes))
    app[METRICS] = HttpMetrics()
    app[ACTIVITY] = Activity()
    app[SOCKETS] = Sockets()
    app[ARRIVALS] = KernelArrivals()
    app.router.register_resource(RawPathResource(app[TABLE], dispatch))
    app.on_response_prepare.append(add_headers)
    app.on_startup.append(_open)
    app.on_shutdown.append(_close_sockets)
    app.on_cleanup.append(_close)
    _identify(app)
    if settings.shutdown_no_activity_timeout:
        app.cleanup_ctx.append(_end_when_unused)
    return app


async def _open(app: web.Application) -> None:
    # Made here because a gRPC channel belongs to the loop it is made in.
    app[STUBS] = Stubs(app[SETTINGS])
    if READINESS not in app:
        app[READINESS] = Readiness.of(app[STUBS])
    app[LISTS] = Lists(app[STUBS], app[METRICS].registry)
    app[LISTS].start()
    app[EVENTS] = EventFeed(app[STUBS].subscribe)
    app[REVOKING] = Revoking(app[AUTH], app[AUTHORIZER], app[SOCKETS])
    app[REVOKING].start()
    if HUB_ACTIVITY in app:
        app[HUB_ACTIVITY].start()
    app[EXTENSIONS].runs.start(Host(app[STUBS], app[SETTINGS].base_url))


def _identify(app: web.Application) -> None:
    identity = Identity.assemble(app[SETTINGS], os.environ)
    app[AUTH], app[AUTHORIZER], app[FLOW] = identity.auth, identity.authorizer, identity.flow
    if identity.hub:
        app[HUB_ACTIVITY] = HubActivity(identity.hub, lambda: last_activity(app))
        app.cleanup_ctx.append(partial(_with_hub, identity.hub))


async def _with_hub(hub: Hub, app: web.Application) -> AsyncIterator[None]:
    # By this the hub sees whether it fits what it has started.
    headers: CIMultiDict[str] = CIMultiDict(app[HEADERS])
    headers["X-JupyterHub-Version"] = await hub.version()
    app[HEADERS] = headers
    yield
    await app[HUB_ACTIVITY].close()


async def _end_when_unused(app: web.Application) -> AsyncIterator[None]:
    ending = asyncio.create_task(
        stop_when_unused(
            app[LAUNCHER],
            app[SETTINGS].shutdown_no_activity_timeout,
            lambda: seconds_unused(app[ACTIVITY], app[LISTS], app[STUBS]),
        )
    )
    yield
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)


async def last_activity(app: web.Application) -> str:
    """Return when somebody last worked here, as the API writes it."""
    listed = await app[LISTS].kernels()
    return timestamp_of(max(app[ACTIVITY].last, listed.last_activity))


async def _close_sockets(app: web.Application) -> None:
    await app[SOCKETS].close_all()


async def _close(app: web.Application) -> None:
    await app[REVOKING].close()
    await app[AUTH].close()
    await app[EXTENSIONS].runs.close()
    await app[EVENTS].close()
    await app[LISTS].close()
    await app[STUBS].close()
