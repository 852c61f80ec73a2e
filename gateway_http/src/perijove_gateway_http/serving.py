"""The process: takes its socket, serves until it is told to stop, and drains."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from perijove_chassis.listening import Listening

from perijove_gateway_http.app import build_app
from perijove_gateway_http.encryption import certificate_of
from perijove_gateway_http.origins import is_loopback
from perijove_gateway_http.unreadable import quote_nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_gateway_http.extensions.loading import Extensions
    from perijove_gateway_http.routing import Route
    from perijove_gateway_http.settings import Settings

log = structlog.get_logger()

MAX_HEADER_BYTES = 64 * 1024
"""Longest request line, and longest header field."""

_BACKLOG = 512
_KEEPALIVE_S = 75.0
_MAY_ASK_S, _LOOK_S = 0.25, 0.01


async def serve(settings: Settings, routes: Sequence[Route], extensions: Extensions) -> None:
    """Serve until SIGTERM or SIGINT, then let requests finish within the grace.

    It waits for no service: what needs one that is not there yet waits by itself.
    """
    quote_nothing()
    certificate = certificate_of(settings)
    listening = _listen(settings)
    family, address = listening.family, listening.getsockname()
    on_loopback = family == socket.AF_UNIX or is_loopback(address[0])
    app = build_app(settings, routes, on_loopback=on_loopback, extensions=extensions)
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=settings.grace_s,
        keepalive_timeout=_KEEPALIVE_S,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        # A compressed body is a thousand times larger than what was sent.
        auto_decompress=False,
    )
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await runner.setup()
    try:
        context = certificate.context if certificate else None
        await web.SockSite(runner, listening, backlog=_BACKLOG, ssl_context=context).start()
        log.info("serving", address=address, base_url=settings.base_url)
        await told.wait()
    finally:
        log.info("draining", grace_s=settings.grace_s)
        await drain(runner)
        log.info("stopped")


async def drain(runner: web.AppRunner) -> None:
    """Take no more connections, and end once requests are answered, or the grace is over.

    Who has just connected, or was just answered, may ask: its request may be on its way.
    """
    for site in list(runner.sites):
        await site.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(2 * _MAY_ASK_S):
            while runner.server and any(map(_may_ask, runner.server.connections)):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
    await runner.cleanup()


def _may_ask(connection: web.RequestHandler) -> bool:
    closing_at = connection._next_keepalive_close_time  # noqa: SLF001 - aiohttp tells nobody
    idle_s = asyncio.get_running_loop().time() - (closing_at - connection.keepalive_timeout)
    return idle_s < _MAY_ASK_S


def _listen(settings: Settings) -> socket.socket:
    if settings.listen_fd >= 0:
        listening = socket.socket(fileno=settings.listen_fd)
    elif settings.sock:
        listening = _listen_on_path(settings)
    else:
        family = socket.AF_INET6 if ":" in settings.ip else socket.AF_INET
        listening = socket.create_server((settings.ip, settings.port), family=family)
    listening.setblocking(False)
    return listening


def _listen_on_path(settings: Settings) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    with Listening(f"unix:{settings.sock}"):
        listening.bind(settings.sock)
        listening.listen(_BACKLOG)
    Path(settings.sock).chmod(settings.sock_permissions())
    return listening
