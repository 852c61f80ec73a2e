"""Files of the installation, as they are."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache policy of a file whose name changes with its content."""

REVALIDATE = "no-cache"
"""Cache policy of a file that may change: ask, and get 304 if it has not."""

_MEDIA_TYPES = {
    # What a system knows of these differs, and browsers are particular.
    ".css": "text/css",
    ".eot": "application/vnd.ms-fontobject",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


def find_file(roots: Sequence[Path], path: str) -> Path | None:
    """Return the first file at a path below one of the directories. Reads the disk.

    The path cannot lead out of the directories; what is linked into them
    belongs to them, because that is how extensions are installed for development.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        return None
    for root in roots:
        candidate = root.joinpath(*parts)
        try:
            if candidate.is_file():
                return candidate
        except OSError:  # a name that is too long
            return None
    return None


async def file_response(roots: Sequence[Path], path: str, cache: str) -> web.StreamResponse:
    """Answer with a file.

    Raises:
        Problem: 404 if there is none.
    """
    found = await asyncio.to_thread(find_file, roots, path)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND)
    headers = {"Cache-Control": cache}
    media_type = _MEDIA_TYPES.get(found.suffix)
    if media_type:
        headers["Content-Type"] = media_type
    return web.FileResponse(found, headers=headers)
