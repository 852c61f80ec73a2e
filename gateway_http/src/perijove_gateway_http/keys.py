"""What handlers find on the application and on the request, typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_gateway_http.activity import Activity
    from perijove_gateway_http.arrivals import KernelArrivals
    from perijove_gateway_http.auth import Authenticator
    from perijove_gateway_http.ending import Launcher
    from perijove_gateway_http.event_feed import EventFeed
    from perijove_gateway_http.extensions.loading import Extensions
    from perijove_gateway_http.forwarding import Forwarding
    from perijove_gateway_http.identity.authorization import Authorizer
    from perijove_gateway_http.identity.flow import Flow
    from perijove_gateway_http.identity.hub_activity import HubActivity
    from perijove_gateway_http.identity.revoking import Revoking
    from perijove_gateway_http.identity.users import Caller
    from perijove_gateway_http.lab.frontend import Frontend
    from perijove_gateway_http.lists import Lists
    from perijove_gateway_http.metrics import HttpMetrics
    from perijove_gateway_http.origins import Origins
    from perijove_gateway_http.routing import Match, Table
    from perijove_gateway_http.settings import Settings
    from perijove_gateway_http.sockets import Sockets
    from perijove_gateway_http.starting import Readiness
    from perijove_gateway_http.stubs import Stubs

    AnyWebSocket = web.WebSocketResponse[bool]

STUBS: web.AppKey[Stubs] = web.AppKey("stubs")
"""The services."""

LISTS: web.AppKey[Lists] = web.AppKey("lists")
"""What front ends ask for again and again."""

EVENTS: web.AppKey[EventFeed] = web.AppKey("events")
"""What happens, for the WebSockets of this process."""

SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
"""What the process was told."""

AUTH: web.AppKey[Authenticator] = web.AppKey("auth")
"""Says who asks."""

AUTHORIZER: web.AppKey[Authorizer] = web.AppKey("authorizer")
"""Says who may do what."""

FLOW: web.AppKey[Flow] = web.AppKey("flow")
"""Remembers logins at another site that are under way."""

HUB_ACTIVITY: web.AppKey[HubActivity] = web.AppKey("hub activity")
"""Tells the hub when somebody last worked here. Absent if there is none."""

REVOKING: web.AppKey[Revoking] = web.AppKey("revoking")
"""Closes the sockets of logins that have ended."""

ORIGINS: web.AppKey[Origins] = web.AppKey("origins")
"""Says which hosts and origins may ask."""

FORWARDING: web.AppKey[Forwarding] = web.AppKey("forwarding")
"""Says what is between the client and this process."""

LAUNCHER: web.AppKey[Launcher] = web.AppKey("launcher")
"""Who can end the whole server."""

HEADERS: web.AppKey[Mapping[str, str]] = web.AppKey("headers")
"""What every answer carries that does not set it itself."""

TABLE: web.AppKey[Table] = web.AppKey("table")
"""Every route."""

FRONTEND: web.AppKey[Frontend] = web.AppKey("frontend")
"""The installed JupyterLab."""

EXTENSIONS: web.AppKey[Extensions] = web.AppKey("extensions")
"""What installed packages add."""

READINESS: web.AppKey[Readiness] = web.AppKey("readiness")
"""Whether front ends would find what they need."""

METRICS: web.AppKey[HttpMetrics] = web.AppKey("metrics")
"""Counts and times of requests; `.registry` takes further ones."""

ACTIVITY: web.AppKey[Activity] = web.AppKey("activity")
"""When this process started, and when somebody last asked it for something."""

SOCKETS: web.AppKey[Sockets] = web.AppKey("sockets")
"""Open WebSockets, added and discarded by their handlers; closed when the process drains."""

ARRIVALS: web.AppKey[KernelArrivals] = web.AppKey("arrivals")
"""What kernels have said just now to the WebSockets of this process."""

PARAMS: web.RequestKey[dict[str, str]] = web.RequestKey("params", dict)
"""What the route's pattern captured, decoded once."""

MATCH: web.RequestKey[Match] = web.RequestKey("match")
"""Which row of the table the request is for. Absent if there is none."""

CALLER: web.RequestKey[Caller | None] = web.RequestKey("caller")
"""Who asks, or None."""
