"""`api/me`: who the server takes the caller for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.bodies import read_json
from perijove_gateway_http.keys import AUTHORIZER, CALLER
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.identity.users import Caller, User

UPDATABLE = ("name", "display_name", "initials", "avatar_url", "color")
"""Fields of a user without a name that the user may change."""

UPDATABLE_OF_NAMED = ("color",)
"""The same for one for whose name somebody vouches: nobody can call themselves somebody else."""

_MAX_FIELD_LETTERS = 1000


def updatable(caller: Caller) -> tuple[str, ...]:
    """Return the fields of a user that the user may change."""
    return UPDATABLE_OF_NAMED if caller.is_named else UPDATABLE


async def get(request: web.Request) -> web.Response:
    """GET api/me: the identity, and which of the asked permissions it has."""
    raw = request.query.getall("permissions", ["{}"])[-1] or "{}"
    try:
        asked = msgspec.json.decode(raw, type=dict[str, list[str]])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise Problem(
            400, f'permissions should be a JSON dict of {{"resource": ["action",]}}, got {raw!r}'
        ) from None
    caller, authorizer = _caller(request), request.app[AUTHORIZER]
    allowed = {
        resource: [
            action for action in actions if await authorizer.is_authorized(caller, action, resource)
        ]
        for resource, actions in asked.items()
    }
    return json_response(
        {
            "identity": caller.user,
            "permissions": {**allowed, "updatable_fields": updatable(caller)},
        }
    )


async def patch(request: web.Request) -> web.Response:
    """PATCH api/me: call oneself something else; the cookie remembers it."""
    changes = await read_json(request, dict[str, str | None])
    if changes is None:
        raise Problem(400, "Invalid or missing JSON body")
    caller = _caller(request)
    for field, value in changes.items():
        if field not in updatable(caller):
            raise Problem(400, f"Field {field} is not updatable")
        # All of it travels in a cookie, for which browsers have 4096 bytes.
        if value and len(value) > _MAX_FIELD_LETTERS:
            raise Problem(400, f"Field {field} is too long")
        if value is None and field in ("name", "display_name", "initials"):
            raise Problem(400, f"Field {field} must be a text")
    user: User = msgspec.structs.replace(caller.user, **changes)
    request[CALLER] = msgspec.structs.replace(caller, user=user, is_new=True)
    return json_response({"status": "success", "identity": user})


def _caller(request: web.Request) -> Caller:
    caller = request[CALLER]
    if caller is None:  # the guard of these routes lets nobody else in
        raise Problem(403)
    return caller


ROUTES = (Route("GET", "api/me", get), Route("PATCH", "api/me", patch))
