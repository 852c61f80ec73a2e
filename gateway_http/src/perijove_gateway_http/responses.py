"""How answers are made."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from aiohttp import web

from perijove_gateway_http.keys import AUTH, CALLER, ORIGINS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_encoder = msgspec.json.Encoder()


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with a value as JSON."""
    return json_bytes_response(_encoder.encode(value), status, headers)


def json_bytes_response(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with what is JSON already. Clients compare the content type exactly."""
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=body, status=status, headers=all_headers)


def no_content() -> web.Response:
    """Answer that it is done and there is nothing to say."""
    return web.Response(status=204)


def missing(request: web.Request, path: str) -> web.Response:
    """Answer that no entry of the document tree is there, as clients of these are used to."""
    # They fall back to the status line: this body is no JSON whatever its type says.
    text = f"file or directory {'/' + path!r} does not exist"
    # A page of another site may read it, too: not to be there is no failure.
    readers = request.app[ORIGINS].cors_headers(request, request.get(CALLER))
    headers = {"Content-Type": "application/json", **readers}
    return web.Response(status=404, body=text.encode(), headers=headers)


def html_response(text: str, status: int = 200) -> web.Response:
    """Answer with a page."""
    return web.Response(body=text.encode(), status=status, headers={"Content-Type": "text/html"})


def redirect(location: str, status: int = 302) -> web.Response:
    """Send the browser elsewhere. The caller sees to it that it is not outside."""
    # To browsers a backslash is a slash, and `/\\elsewhere` another host.
    encoded = quote(location, safe="/:?#[]@!$&'()*+,;=%~", errors="surrogateescape")
    return web.Response(status=status, headers={"Location": encoded})


def location(request: web.Request, *parts: str) -> str:
    """Return the address below the base URL of API path parts, encoded."""
    base = request.app[SETTINGS].base_url
    return base + "/".join(quote(part, safe="/") for part in parts if part)


def http_date(seconds: float) -> str:
    """Return a time since the epoch as HTTP writes it."""
    return formatdate(seconds, usegmt=True)


def page_response(
    request: web.Request, page: Callable[[str], str], status: int = 200
) -> web.Response:
    """Answer with a page that sends something back: its `_xsrf` cookie goes with it.

    Args:
        request: What is answered.
        page: Makes the page around the value that it must repeat.
        status: The HTTP status.
    """
    value, cookie = request.app[AUTH].xsrf(request)
    response = html_response(page(value), status)
    if cookie:
        response.headers.add("Set-Cookie", cookie)
    return response
