"""What the server says of itself."""

from __future__ import annotations

import structlog
from aiohttp import web

from perijove_gateway_http.keys import ACTIVITY, FRONTEND, LAUNCHER, LISTS, SETTINGS
from perijove_gateway_http.models import timestamp_of
from perijove_gateway_http.responses import json_response, location, redirect
from perijove_gateway_http.routing import Guard, Route

log = structlog.get_logger()

API_VERSION = "2.21.1"
"""The version of Jupyter Server whose API this is: what clients decide on."""

_MAX_REPORT_BYTES = 4096


async def get_version(_request: web.Request) -> web.Response:
    """GET api: the version. Clients probe with it, without a credential."""
    return json_response({"version": API_VERSION})


async def get_status(request: web.Request) -> web.Response:
    """GET api/status: what idle cullers ask."""
    activity = request.app[ACTIVITY]
    listed = await request.app[LISTS].kernels()
    return json_response(
        {
            "connections": listed.connections,
            "kernels": len(listed.kernels),
            "last_activity": timestamp_of(max(activity.last, listed.last_activity)),
            "started": timestamp_of(activity.started),
        }
    )


async def report_csp_violation(request: web.Request) -> web.Response:
    """POST api/security/csp-report: what a browser kept a page from doing."""
    body = await request.read()
    log.warning("a page broke its policy", report=body[:_MAX_REPORT_BYTES].decode(errors="replace"))
    return web.Response(status=200)


async def shut_down(request: web.Request) -> web.Response:
    """POST api/shutdown: end the whole server, kernels and terminals too."""
    request.app[LAUNCHER].ask_to_stop()
    log.warning("the end of the server was asked for")
    return web.Response(status=200)


async def lead_on(request: web.Request) -> web.Response:
    """GET the base URL: to the front end, with the query, which may hold the token."""
    query = request.rel_url.raw_query_string
    target = location(request, request.app[SETTINGS].default_url.lstrip("/") or _first(request))
    return redirect(target + ("?" + query if query else ""))


def _first(request: web.Request) -> str:
    installation = request.app[FRONTEND].installation
    return "tree" if installation.notebook and not installation.lab else "lab"


ROUTES = (
    Route("GET", "", lead_on, Guard.PUBLIC),
    # `jupyter server stop` asks this of unix sockets before it sends a signal.
    Route("POST", "", lead_on, Guard.PUBLIC),
    Route("GET", "api", get_version, Guard.PUBLIC_API, counts_as_activity=False),
    Route("GET", "api/status", get_status, counts_as_activity=False),
    Route(
        "POST",
        "api/security/csp-report",
        report_csp_violation,
        counts_as_activity=False,
        checks_xsrf=False,
    ),
    Route("POST", "api/shutdown", shut_down),
)
