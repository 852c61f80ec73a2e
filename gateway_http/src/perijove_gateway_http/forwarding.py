"""What a proxy in front says of the client, where it is to be believed."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


class Forwarding:
    """Says where a request comes from, and by which scheme.

    Everybody can send these headers: they are believed only if the settings say that
    nobody but a proxy that sets them reaches the socket. With several, the last one
    counts: what came before may be the client's own.
    """

    def __init__(self, *, is_trusted: bool) -> None:
        self._is_trusted = is_trusted

    def scheme(self, request: web.Request) -> str:
        """Return `http` or `https`: what the client uses."""
        if self._is_trusted:
            for name in ("X-Scheme", "X-Forwarded-Proto"):
                said = _last(request, name).lower()
                if said in ("http", "https"):
                    return said
        return request.scheme

    def client(self, request: web.Request) -> str:
        """Return the address of the client; empty if there is none, as on a unix socket."""
        if self._is_trusted:
            for name in ("X-Real-IP", "X-Forwarded-For"):
                if _is_address(said := _last(request, name)):
                    return said
        return request.remote or ""


def _last(request: web.Request, name: str) -> str:
    given = request.headers.getall(name, ())
    return given[-1].rpartition(",")[2].strip() if given else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
