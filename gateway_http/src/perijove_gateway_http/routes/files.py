"""`files/{path}`: the bytes of a file, for browsers and downloads.

What users store may hold scripts: they run in a sandbox, without the origin
of the server.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import grpc
from aiohttp import web
from perijove.contents.v1 import contents_pb2 as pb

from perijove_gateway_http import streaming
from perijove_gateway_http.keys import CALLER, ORIGINS, PARAMS, STUBS
from perijove_gateway_http.problems import Problem, reason_of
from perijove_gateway_http.responses import http_date
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_KEEP = f"private, max-age={10 * 365 * 24 * 3600}"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_MOST_DIGITS = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A run of bytes of a file: from `start` up to, not including, `stop`."""

    start: int
    stop: int

    @classmethod
    def parse(cls, text: str, size: int) -> Span | None:
        """Return what a `Range` header asks of a file, or None if it is to be ignored.

        Raises:
            Problem: 416 if the file has no such bytes.
        """
        match = _RANGE.fullmatch(text.strip())
        if not match or not (match[1] or match[2]):
            return None
        if not match[1]:
            start, stop = max(0, size - _number(match[2])), size
        else:
            start = _number(match[1])
            stop = min(size, _number(match[2]) + 1) if match[2] else size
        if start >= stop:
            raise Problem(416, headers={"Content-Range": f"bytes */{size}"})
        return cls(start, stop)


async def get(request: web.Request) -> web.StreamResponse:
    """GET and HEAD files/{path}: the file, or a range of it."""
    await request.app[ORIGINS].check_read_xsrf(request, request[CALLER])
    path = request[PARAMS]["path"]
    try:
        return await _body(request, path)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) == "BAD_TYPE":
            raise Problem(403, f"{path} is not a file") from None
        raise


async def _body(request: web.Request, path: str) -> web.StreamResponse:
    call = request.app[STUBS].contents.ReadContent(
        pb.ReadContentRequest(path=path, type=pb.ENTRY_TYPE_FILE, format=pb.CONTENT_FORMAT_BINARY)
    )
    try:
        responses = aiter(call)
        first = await anext(responses)
        response = _begin(request, first.header.entry)
        if response.status == web.HTTPNotModified.status_code or request.method == "HEAD":
            return response
        await response.prepare(request)
        start = _start(response)
        length = response.content_length or 0
        async for piece in _cut(_chunks(first, responses), start, start + length):
            await response.write(piece)
            length -= len(piece)
        if length:
            raise ConnectionResetError("the file is shorter than it was")
    except grpc.RpcError:
        if request.writer.output_size:
            # Not ended properly, so that nobody takes a part for the whole.
            raise ConnectionResetError("the content broke off") from None
        raise
    else:
        await response.write_eof()
        return response
    finally:
        call.cancel()


def _begin(request: web.Request, entry: pb.Entry) -> web.StreamResponse:
    name = entry.path.rpartition("/")[2]
    headers = {
        "Accept-Ranges": "bytes",
        "Last-Modified": http_date(entry.update_time.seconds),
        "Content-Type": content_type(name),
    }
    # Who names a version never asks for another one under that address.
    headers["Cache-Control"] = _KEEP if "v" in request.query else "no-cache"
    if any(request.query.getall("download", [])[-1:]) or name.endswith(".ipynb"):
        headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(name)}"
    if _is_unchanged(request, entry.update_time.seconds):
        del headers["Content-Type"]
        return web.Response(status=304, headers=headers)
    size = entry.size_bytes
    span = Span.parse(request.headers.get("Range", ""), size)
    if span is None or (span.start, span.stop) == (0, size):
        headers["Content-Length"] = str(size)
        return web.StreamResponse(status=200, headers=headers)
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    headers["Content-Length"] = str(span.stop - span.start)
    return web.StreamResponse(status=206, headers=headers)


def content_type(name: str) -> str:
    """Return the type under which a file of a name is served."""
    if name.endswith(".ipynb"):
        return "application/x-ipynb+json"
    mime_type, encoding = mimetypes.guess_type(name)
    if encoding == "gzip":
        return "application/gzip"
    if encoding or not mime_type:
        return "application/octet-stream"
    return "text/plain; charset=UTF-8" if mime_type == "text/plain" else mime_type


def _number(digits: str) -> int:
    # No file is that large, and Python turns so many digits into a number for nobody.
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _is_unchanged(request: web.Request, modified_s: int) -> bool:
    since = request.headers.get("If-Modified-Since")
    if not since:
        return False
    try:
        return parsedate_to_datetime(since).timestamp() >= modified_s
    except (ValueError, OverflowError):
        return False


def _start(response: web.StreamResponse) -> int:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else 0


async def _chunks(
    first: pb.ReadContentResponse, rest: AsyncIterator[streaming.Response]
) -> AsyncIterator[bytes | memoryview]:
    yield first.chunk
    async for response in rest:
        yield streaming.chunk_of(response)


async def _cut(
    chunks: AsyncIterator[bytes | memoryview], start: int, stop: int
) -> AsyncIterator[bytes | memoryview]:
    position = 0
    async for chunk in chunks:
        piece = chunk[max(0, start - position) : max(0, stop - position)]
        position += len(chunk)
        if piece:
            yield piece
        if position >= stop:
            return


ROUTES = (
    Route("GET", "files/{path...}", get, Guard.PAGE, in_sandbox=True),
    Route("HEAD", "files/{path...}", get, Guard.PAGE, in_sandbox=True),
)
