"""Bodies between clients and the contents service, when something goes wrong on the way."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc
from perijove_chassis.errors import NotFound, Unavailable
from perijove_gateway_http import streaming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gateway_http.tests.conftest import MakeEdge

    Serve = Callable[[contents_pb2_grpc.ContentsServiceServicer], Awaitable[None]]

MIB = 1024 * 1024


class _Contents(contents_pb2_grpc.ContentsServiceServicer):
    """Streams what a test says; keeps what it is given."""

    def __init__(self, *chunks: bytes | Exception, size_bytes: int = 0) -> None:
        self._chunks = chunks
        self._size_bytes = size_bytes
        self.written: list[pb.WriteContentRequest] = []
        self.saved: list[pb.SaveContentRequest] = []

    async def ReadContent(  # type: ignore[override]
        self, request: pb.ReadContentRequest, context: Any
    ) -> AsyncIterator[pb.ReadContentResponse]:
        del context
        entry = pb.Entry(path=request.path, type=pb.ENTRY_TYPE_FILE, size_bytes=self._size_bytes)
        header = pb.ReadContentHeader(entry=entry, format=pb.CONTENT_FORMAT_BINARY)
        yield pb.ReadContentResponse(header=header)
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield pb.ReadContentResponse(chunk=chunk)

    async def WriteContent(  # type: ignore[override]
        self, request_iterator: AsyncIterator[pb.WriteContentRequest], context: Any
    ) -> pb.WriteContentResponse:
        del context
        self.written = [request async for request in request_iterator]
        entry = pb.Entry(path=self.written[0].header.path, type=pb.ENTRY_TYPE_FILE)
        return pb.WriteContentResponse(entry=entry, created=True)

    async def SaveContent(  # type: ignore[override]
        self, request: pb.SaveContentRequest, context: Any
    ) -> pb.SaveContentResponse:
        del context
        self.saved.append(request)
        return pb.SaveContentResponse(entry=pb.Entry(path=request.header.path), created=True)


@pytest.mark.parametrize("target", ["/api/contents/a.bin", "/files/a.bin"])
async def test_body_that_breaks_off_is_not_taken_for_the_whole(
    target: str, make_edge: MakeEdge, serve_contents: Serve
) -> None:
    chunks = (bytes(MIB), bytes(MIB), Unavailable("gone", reason="STATE_UNREACHABLE"))
    await serve_contents(_Contents(*chunks, size_bytes=3 * MIB))
    edge = await make_edge()
    with pytest.raises(aiohttp.ClientError):
        await edge.ask("GET", target)


async def test_file_that_shrinks_while_it_is_read_is_not_taken_for_the_whole(
    make_edge: MakeEdge, serve_contents: Serve
) -> None:
    await serve_contents(_Contents(bytes(MIB), size_bytes=2 * MIB))
    edge = await make_edge()
    with pytest.raises(aiohttp.ClientError):
        await edge.ask("GET", "/files/a.bin")


async def test_small_body_that_fails_is_an_error(
    make_edge: MakeEdge, serve_contents: Serve
) -> None:
    await serve_contents(_Contents(b"abc", NotFound("it went away", reason="NO_SUCH_ENTRY")))
    edge = await make_edge()
    response, body = await edge.ask("GET", "/api/contents/a.bin")
    assert (response.status, body) == (404, b"file or directory '/a.bin' does not exist")


async def test_large_content_is_cut_out_of_its_model(
    make_edge: MakeEdge, serve_contents: Serve
) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge()
    notebook = b'{"cells":[], "x" : "' + b"y" * (5 * MIB // 2) + b'"}'
    body = b'{"content":  ' + notebook + b' , "type":"notebook"}'
    response, _ = await edge.ask("PUT", "/api/contents/n.ipynb", data=io.BytesIO(body))
    assert response.status == 201
    assert b"".join(request.chunk for request in contents.written) == notebook
    assert all(len(request.chunk) <= streaming.CHUNK_BYTES for request in contents.written)
    header = contents.written[0].header
    assert (header.path, header.format) == ("n.ipynb", pb.CONTENT_FORMAT_NOTEBOOK)


async def test_small_content_is_one_message(make_edge: MakeEdge, serve_contents: Serve) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge()
    body = b'{"content": {"cells":[]}, "type":"notebook"}'
    response, _ = await edge.ask("PUT", "/api/contents/n.ipynb", data=body)
    assert response.status == 201
    (saved,) = contents.saved
    assert (saved.header.path, saved.content) == ("n.ipynb", b'{"cells":[]}')
    assert not contents.written


async def test_body_beyond_the_limit_is_refused(make_edge: MakeEdge, serve_contents: Serve) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge(max_body_bytes=1000)
    for body in (bytes(2000), _endless()):
        response, text = await edge.ask("PUT", "/api/contents/a.txt", data=body)
        assert response.status == 413
        assert b'"the request body is too large"' in text
    assert not contents.written
    assert not contents.saved


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(4):
        yield bytes(500)
