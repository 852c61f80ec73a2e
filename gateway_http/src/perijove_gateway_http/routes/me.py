"""`api/me`: who the server takes the caller for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.auth import Caller, User
from perijove_gateway_http.bodies import read_json
from perijove_gateway_http.keys import CALLER
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from aiohttp import web

UPDATABLE = ("name", "display_name", "initials", "avatar_url", "color")
"""Fields of a user that the user may change."""

_MAX_FIELD_LETTERS = 1000


async def get(request: web.Request) -> web.Response:
    """GET api/me: the identity, and which of the asked permissions it has: all of them."""
    raw = request.query.getall("permissions", ["{}"])[-1] or "{}"
    try:
        asked = msgspec.json.decode(raw, type=dict[str, list[str]])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise Problem(
            400, f'permissions should be a JSON dict of {{"resource": ["action",]}}, got {raw!r}'
        ) from None
    return json_response(
        {
            "identity": _caller(request).user,
            "permissions": {**asked, "updatable_fields": UPDATABLE},
        }
    )


async def patch(request: web.Request) -> web.Response:
    """PATCH api/me: call oneself something else; the cookie remembers it."""
    changes = await read_json(request, dict[str, str | None])
    if changes is None:
        raise Problem(400, "Invalid or missing JSON body")
    for field, value in changes.items():
        if field not in UPDATABLE:
            raise Problem(400, f"Field {field} is not updatable")
        # All of it travels in a cookie, for which browsers have 4096 bytes.
        if value and len(value) > _MAX_FIELD_LETTERS:
            raise Problem(400, f"Field {field} is too long")
        if value is None and field in ("name", "display_name", "initials"):
            raise Problem(400, f"Field {field} must be a text")
    user: User = msgspec.structs.replace(_caller(request).user, **changes)
    request[CALLER] = Caller(user, by_token=_caller(request).by_token, is_new=True)
    return json_response({"status": "success", "identity": user})


def _caller(request: web.Request) -> Caller:
    caller = request[CALLER]
    if caller is None:  # the guard of these routes lets nobody else in
        raise Problem(403)
    return caller


ROUTES = (Route("GET", "api/me", get), Route("PATCH", "api/me", patch))
