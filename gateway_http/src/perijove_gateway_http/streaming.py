"""Content between gRPC streams and HTTP bodies, chunk by chunk, never parsed.

A contents model is a JSON object around one large value. The value of a
notebook is the stream itself; text is escaped, and bytes become base64, one
chunk at a time.
"""

from __future__ import annotations

import binascii
import codecs
from typing import TYPE_CHECKING

import grpc
import msgspec
from aiohttp import web
from perijove.contents.v1 import contents_pb2

from perijove_gateway_http.models import contents_head, contents_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from perijove.contents.v1 import contents_pb2_grpc

    Response = contents_pb2.ReadContentResponse | memoryview
    """A message, or the chunk in it that is all it holds: see `stubs.py`."""

    ReadCall = grpc.aio.UnaryStreamCall[
        contents_pb2.ReadContentRequest, contents_pb2.ReadContentResponse
    ]

CHUNK_BYTES = 1024 * 1024
"""Largest piece of content in one gRPC message."""

AT_ONCE_BYTES = 256 * 1024
"""Largest answer that is sent in one write, with its length."""

WRITE_S = 600.0
"""How long a small write may take: the storage may be slow, and so may be save hooks."""

_LINE_BYTES = 57
_LINE_LETTERS = 76

_encoder = msgspec.json.Encoder()


class Notebook:
    """A notebook is JSON already."""

    opening, closing = b"", b""

    def feed(self, response: Response) -> bytes | memoryview:
        """Return what a message adds to the body."""
        return chunk_of(response)

    def finish(self) -> bytes:
        """Return what is left at the end."""
        return b""


class Text:
    """A JSON string. A character may be split between two chunks."""

    opening, closing = b'"', b'"'

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, response: Response) -> bytes:
        """Return what a message adds to the body."""
        return _encoder.encode(self._decoder.decode(chunk_of(response)))[1:-1]

    def finish(self) -> bytes:
        """Return what is left at the end.

        Raises:
            UnicodeDecodeError: if the last character is cut off.
        """
        return _encoder.encode(self._decoder.decode(b"", final=True))[1:-1]


class Base64:
    """A JSON string of base64 in lines of 76, each with a newline at its end."""

    opening, closing = b'"', b'"'

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, response: Response) -> bytes:
        """Return what a message adds to the body: whole lines only."""
        data = self._rest + chunk_of(response)
        whole = len(data) - len(data) % _LINE_BYTES
        self._rest = data[whole:]
        return _lines(data[:whole])

    def finish(self) -> bytes:
        """Return what is left at the end."""
        return _lines(self._rest)


class Entries:
    """A JSON array of models."""

    opening, closing = b"[", b"]"

    def __init__(self) -> None:
        self._separator = b""

    def feed(self, response: Response) -> bytes:
        """Return what a message adds to the body."""
        if isinstance(response, memoryview) or not response.entries:
            return b""
        models = [contents_model(entry) for entry in response.entries]
        body = self._separator + _encoder.encode(models)[1:-1]
        self._separator = b","
        return body

    def finish(self) -> bytes:
        """Return what is left at the end."""
        return b""


class Model:
    """The JSON text of a contents model, content included."""

    def __init__(self, first: contents_pb2.ReadContentResponse) -> None:
        """Take the first message, which says what the others carry."""
        self._first = first
        self._value = _value(first.header.format)
        head = _encoder.encode(contents_head(first.header))[:-1]
        self._opening = head + b',"content":' + self._value.opening

    @property
    def size_bytes(self) -> int | None:
        """How long it is; None if only the end will tell."""
        header = self._first.header
        if not isinstance(self._value, Notebook) or not header.HasField("size_bytes"):
            return None
        return len(self._opening) + header.size_bytes + len(b"}")

    async def parts(self, rest: AsyncIterator[Response]) -> AsyncIterator[bytes | memoryview]:
        """Yield it as it comes."""
        yield self._opening
        yield self._value.feed(self._first)
        async for response in rest:
            yield self._value.feed(response)
        yield self._value.finish() + self._value.closing + b"}"


def chunk_of(response: Response) -> bytes | memoryview:
    """Return the run of content bytes in a message."""
    return response if isinstance(response, memoryview) else response.chunk


async def send(
    request: web.Request,
    parts: AsyncIterator[bytes | memoryview],
    headers: Mapping[str, str],
    size_bytes: int | None = None,
) -> web.StreamResponse:
    """Send a body: at once with its length if it is small, else as it comes.

    Args:
        request: What is answered.
        parts: The body.
        headers: Those of the answer.
        size_bytes: How long the body is, if that is known.

    Raises:
        ConnectionResetError: if the content breaks off. The connection is closed
            then, and the body not ended properly, so that nobody takes a part
            for the whole.
    """
    pending, size = [], 0
    async for part in parts:
        pending.append(part)
        size += len(part)
        if size > AT_ONCE_BYTES:
            break
    else:
        return web.Response(body=b"".join(pending), headers=headers)
    response = web.StreamResponse(headers=headers)
    if size_bytes is not None:
        response.content_length = size_bytes
    await response.prepare(request)
    try:
        for part in pending:
            await response.write(part)
        async for part in parts:
            if part:
                await response.write(part)
    except (grpc.RpcError, UnicodeDecodeError) as error:
        raise ConnectionResetError("the content broke off") from error
    await response.write_eof()
    return response


def pieces(content: bytes | memoryview) -> Iterator[bytes]:
    """Cut content into pieces of the size that one gRPC message carries."""
    if isinstance(content, bytes) and 0 < len(content) <= CHUNK_BYTES:
        yield content
        return
    view = memoryview(content)
    for start in range(0, len(view), CHUNK_BYTES):
        yield bytes(view[start : start + CHUNK_BYTES])


async def write(
    stub: contents_pb2_grpc.ContentsServiceAsyncStub,
    header: contents_pb2.WriteContentHeader,
    content: bytes | memoryview,
) -> contents_pb2.WriteContentResponse | contents_pb2.SaveContentResponse:
    """Write content, in one message if it fits, else as a stream.

    Raises:
        grpc.aio.AioRpcError: if the service refuses it.
    """
    if len(content) <= CHUNK_BYTES:
        request = contents_pb2.SaveContentRequest(header=header, content=bytes(content))
        return await stub.SaveContent(request, timeout=WRITE_S)
    header.size_bytes = len(content)
    return await stub.WriteContent(write_requests(header, content))


def write_requests(
    header: contents_pb2.WriteContentHeader, content: bytes | memoryview
) -> Iterator[contents_pb2.WriteContentRequest]:
    """Yield the messages that write content: the header with the first piece, then the rest."""
    chunks = pieces(content)
    yield contents_pb2.WriteContentRequest(header=header, chunk=next(chunks, b""))
    for chunk in chunks:
        yield contents_pb2.WriteContentRequest(chunk=chunk)


def _value(fmt: int) -> Notebook | Text | Base64 | Entries:
    if fmt == contents_pb2.CONTENT_FORMAT_ENTRIES:
        return Entries()
    if fmt == contents_pb2.CONTENT_FORMAT_NOTEBOOK:
        return Notebook()
    return Text() if fmt == contents_pb2.CONTENT_FORMAT_TEXT else Base64()


def _lines(data: bytes) -> bytes:
    if not data:
        return b""
    letters = binascii.b2a_base64(data, newline=False)
    starts = range(0, len(letters), _LINE_LETTERS)
    return b"".join(letters[start : start + _LINE_LETTERS] + b"\\n" for start in starts)
