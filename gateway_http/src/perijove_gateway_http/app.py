"""Puts the edge together."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from aiohttp import web, web_response
from multidict import CIMultiDict
from perijove_chassis.settings import SettingsError
from perijove_chassis.telemetry import CallMetrics
from prometheus_client import CollectorRegistry, ProcessCollector

from perijove_gateway_http.activity import Activity
from perijove_gateway_http.arrivals import KernelArrivals
from perijove_gateway_http.auth import Authenticator
from perijove_gateway_http.dispatch import dispatch, observed
from perijove_gateway_http.ending import Launcher, seconds_unused, stop_when_unused
from perijove_gateway_http.event_feed import EventFeed
from perijove_gateway_http.extensions.loading import Extensions
from perijove_gateway_http.extensions.registration import Host
from perijove_gateway_http.forwarding import Forwarding
from perijove_gateway_http.headers import SERVER, add_headers, tagged
from perijove_gateway_http.identity.authorization import Everything
from perijove_gateway_http.identity.password_file import PasswordFile
from perijove_gateway_http.identity.passwords import Passwords
from perijove_gateway_http.identity.policy import PolicyError, PolicyFile
from perijove_gateway_http.identity.revoking import Revoking
from perijove_gateway_http.keys import (
    ACTIVITY,
    ARRIVALS,
    AUTH,
    AUTHORIZER,
    EVENTS,
    EXTENSIONS,
    FORWARDING,
    FRONTEND,
    HEADERS,
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
from perijove_gateway_http.origins import Origins
from perijove_gateway_http.problems import problems
from perijove_gateway_http.routing import RawPathResource, Table
from perijove_gateway_http.settings import PREFIX
from perijove_gateway_http.sockets import Sockets
from perijove_gateway_http.starting import Readiness
from perijove_gateway_http.stubs import Stubs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from perijove_gateway_http.identity.authorization import Authorizer
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
    app[AUTH] = _authenticator(settings)
    app[AUTHORIZER] = _authorizer(settings)
    app[ORIGINS] = Origins(settings, on_loopback=on_loopback)
    app[FORWARDING] = Forwarding(is_trusted=settings.trust_xheaders)
    app[LAUNCHER] = Launcher(settings.launcher_fd)
    app[HEADERS] = CIMultiDict(settings.extra_headers())
    app[FRONTEND] = Frontend(Installation.find(os.environ))
    app[EXTENSIONS] = extensions or Extensions()
    app[TABLE] = Table(settings.base_url, (*routes, *app[EXTENSIONS].routes))
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    app[METRICS] = CallMetrics(registry)
    app[ACTIVITY] = Activity()
    app[SOCKETS] = Sockets()
    app[ARRIVALS] = KernelArrivals()
    app.router.register_resource(RawPathResource(app[TABLE], dispatch))
    app.on_response_prepare.append(add_headers)
    app.on_startup.append(_open)
    app.on_shutdown.append(_close_sockets)
    app.on_cleanup.append(_close)
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
    app[EXTENSIONS].runs.start(Host(app[STUBS], app[SETTINGS].base_url))


def _authenticator(settings: Settings) -> Authenticator:
    file = PasswordFile(settings.password_file, settings.password_fallback_file)
    try:
        passwords = Passwords(file, may_change=settings.allow_password_change)
    except OSError as error:
        raise SettingsError(f"{PREFIX}PASSWORD_FILE: {error.strerror}") from None
    return Authenticator(settings, passwords)


def _authorizer(settings: Settings) -> Authorizer:
    if not settings.policy_file:
        return Everything()
    try:
        return PolicyFile(settings.policy_file)
    except PolicyError as error:
        raise SettingsError(f"{PREFIX}POLICY_FILE: {error}") from None


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


async def _close_sockets(app: web.Application) -> None:
    await app[SOCKETS].close_all()


async def _close(app: web.Application) -> None:
    await app[REVOKING].close()
    await app[AUTH].passwords.close()
    await app[EXTENSIONS].runs.close()
    await app[EVENTS].close()
    await app[LISTS].close()
    await app[STUBS].close()
