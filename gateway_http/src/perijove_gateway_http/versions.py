"""Versions of entries as HTTP speaks of them: entity tags, and what requests require of them.

The tag of an entry is the hash of its stored bytes. A client asks for it with
`hash=1`, and sends it back with a change that holds for that version only.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove.contents.v1 import contents_pb2 as pb

_TAG = re.compile(r'"([\x21\x23-\x7e]{1,128})"')


def version_headers(entry: pb.Entry) -> dict[str, str]:
    """Return the headers that say which version of an entry an answer is about."""
    headers = {"Last-Modified": http_date(entry.update_time.seconds)}
    if entry.hash:
        headers["Etag"] = f'"{entry.hash}"'
    return headers


def known_to(request: web.Request, entry: pb.Entry) -> web.Response | None:
    """Return the answer for a client that has this version already; None if it has not."""
    given = [tag.strip().removeprefix("W/") for tag in _header(request, "If-None-Match").split(",")]
    if not entry.hash or f'"{entry.hash}"' not in given:
        return None
    return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=version_headers(entry))


def required_hash(request: web.Request) -> str:
    """Return the hash that a request requires; empty if any will do.

    Raises:
        Problem: 412 for a tag that no version has, 400 if there are several.
    """
    given = _header(request, "If-Match")
    if given in ("", "*"):
        return ""
    tag = _TAG.fullmatch(given)
    if tag:
        return tag[1]
    if "," in given:
        raise Problem(400, "If-Match takes one entity tag here")
    raise Problem(412, "no version has the entity tag of If-Match")


def required_of(request: web.Request, *, is_directory: bool) -> Mapping[str, str | bool]:
    """Return what a request to write requires, as fields of a `WriteContentHeader`.

    Raises:
        Problem: 412 or 400 as for `required_hash`; 400 for other conditions.
    """
    unless, given = _header(request, "If-None-Match"), _header(request, "If-Match")
    if unless and (unless != "*" or given):
        raise Problem(400, "to write, If-None-Match takes only *, and no If-Match beside it")
    if not unless and not given:
        return {}
    # Who cares for versions will want to know the new one.
    required: dict[str, str | bool] = {"if_exists": not unless, "include_hash": not is_directory}
    if known := required_hash(request):
        required["if_hash"] = known
    return required


def _header(request: web.Request, name: str) -> str:
    return ", ".join(request.headers.getall(name, ())).strip()
