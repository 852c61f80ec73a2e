"""Large notebooks are passed on as they come, and nothing is written if they break off."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
import pytest
from aiohttp.base_protocol import BaseProtocol
from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc
from perijove_chassis.errors import InvalidArgument
from perijove_gateway_http.incoming import PIECE_BYTES, Incoming
from perijove_gateway_http.large_notebooks import LARGE_BYTES
from perijove_gateway_http.streaming import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gateway_http.tests.conftest import MakeEdge

    Serve = Callable[[contents_pb2_grpc.ContentsServiceServicer], Awaitable[None]]

NOTEBOOK = json.dumps({"cells": [], "metadata": {"x": "y" * 2 * LARGE_BYTES}, "nbformat": 4})


class _Contents(contents_pb2_grpc.ContentsServiceServicer):
    def __init__(self, refusal: Exception | None = None) -> None:
        self._refusal = refusal
        self.begun = asyncio.Event()
        self.broken = asyncio.Event()
        self.written: list[pb.WriteContentRequest] = []

    async def WriteContent(  # type: ignore[override]
        self, request_iterator: AsyncIterator[pb.WriteContentRequest], context: Any
    ) -> pb.WriteContentResponse:
        try:
            async for request in request_iterator:
                self.written.append(request)
                self.begun.set()
            # A broken stream may look like an ended one until one answers.
            await context.send_initial_metadata(())
        except (asyncio.CancelledError, grpc.aio.BaseError):
            self.broken.set()
            raise
        if self._refusal:
            raise self._refusal
        entry = pb.Entry(path=self.written[0].header.path, type=pb.ENTRY_TYPE_NOTEBOOK)
        return pb.WriteContentResponse(entry=entry, validation_message="odd")

    @property
    def content(self) -> bytes:
        return b"".join(request.chunk for request in self.written)


@pytest.mark.parametrize(
    "model",
    [
        f'{{"type":"notebook","format":"json","content":{NOTEBOOK}}}',
        f' {{ "path" : "x" , "type" : "notebook",\n"format": null, "content" : {NOTEBOOK} }} ',
    ],
)
async def test_a_model_is_passed_on_as_it_is(
    model: str, make_edge: MakeEdge, serve_contents: Serve
) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge()
    response, body = await edge.ask("PUT", "/api/contents/a.ipynb", data=io.BytesIO(model.encode()))
    assert response.status == 200
    assert json.loads(body)["message"] == "odd"
    header = contents.written[0].header
    assert header == pb.WriteContentHeader(
        path="a.ipynb",
        type=pb.ENTRY_TYPE_NOTEBOOK,
        format=pb.CONTENT_FORMAT_MODEL,
        size_bytes=len(model.encode()),
    )
    assert contents.content == model.encode()
    assert max(len(request.chunk) for request in contents.written) <= CHUNK_BYTES


@pytest.mark.parametrize(
    "model",
    [
        f'{{"content":{NOTEBOOK},"type":"notebook"}}',
        f'{{"type":"notebook","chunk":null,"x":{{}},"content":{NOTEBOOK}}}',
        f'{{"type":"\\u006eotebook","content":{NOTEBOOK}}}',
        f'{{"x":"{"y" * 5000}","type":"notebook","content":{NOTEBOOK}}}',
    ],
    ids=["content first", "odd member", "escapes", "late"],
)
async def test_a_model_of_another_form_is_taken_apart_as_before(
    model: str, make_edge: MakeEdge, serve_contents: Serve
) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge()
    response, _ = await edge.ask("PUT", "/api/contents/a.ipynb", data=io.BytesIO(model.encode()))
    assert response.status == 200
    assert contents.written[0].header.format == pb.CONTENT_FORMAT_NOTEBOOK
    assert contents.content == NOTEBOOK.encode()


@pytest.mark.parametrize(
    ("model", "status"),
    [
        (f'{{"type":"notebook","copy_from":"b","content":{NOTEBOOK}}}', 400),
        (f'{{"type":"notebook","chunk":1,"content":{NOTEBOOK}}}', 400),
        (f'{{"type":"file","format":"text","content":{NOTEBOOK}}}', 400),
        (f'{{"type":"notebook",,"content":{NOTEBOOK}}}', 400),
        (f'{{"type":"notebook","content":[{NOTEBOOK}]}}', 400),
    ],
    ids=["copy", "chunk", "file", "comma", "list"],
)
async def test_what_is_wrong_before_the_content_is_told(
    model: str, status: int, make_edge: MakeEdge, serve_contents: Serve
) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge()
    response, _ = await edge.ask("PUT", "/api/contents/a.ipynb", data=io.BytesIO(model.encode()))
    assert response.status == status
    assert not contents.written


async def test_pieces_fit_in_a_message_however_much_comes_at_once() -> None:
    loop = asyncio.get_running_loop()
    stream = aiohttp.StreamReader(BaseProtocol(loop), 2**24, loop=loop)
    incoming = Incoming(stream, 10 * LARGE_BYTES)
    stream.feed_data(bytes(3 * LARGE_BYTES))
    assert len(await incoming.peek(10)) == 10
    stream.feed_data(b"x" * 3 * LARGE_BYTES)
    stream.feed_eof()
    got = [b"".join(parts) async for parts in incoming.parts()]
    assert b"".join(got) == bytes(3 * LARGE_BYTES) + b"x" * 3 * LARGE_BYTES
    assert max(map(len, got)) <= CHUNK_BYTES


async def test_a_refusal_is_told(make_edge: MakeEdge, serve_contents: Serve) -> None:
    await serve_contents(_Contents(InvalidArgument("not here", reason="BAD_TYPE")))
    edge = await make_edge()
    model = f'{{"type":"notebook","content":{NOTEBOOK}}}'
    response, body = await edge.ask("PUT", "/api/contents/a.ipynb", data=io.BytesIO(model.encode()))
    assert (response.status, json.loads(body)["message"]) == (400, "not here")


async def test_a_body_over_the_limit_is_not_written(
    make_edge: MakeEdge, serve_contents: Serve
) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge(max_body_bytes=LARGE_BYTES)
    model = f'{{"type":"notebook","content":{NOTEBOOK}}}'
    response, _ = await edge.ask("PUT", "/api/contents/a.ipynb", data=io.BytesIO(model.encode()))
    assert response.status == 413
    if contents.begun.is_set():
        await asyncio.wait_for(contents.broken.wait(), 30)


async def test_a_client_that_goes_away_breaks_the_write_off(
    make_edge: MakeEdge, serve_contents: Serve
) -> None:
    contents = _Contents()
    await serve_contents(contents)
    edge = await make_edge()
    model = f'{{"type":"notebook","content":{NOTEBOOK}}}'.encode()
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(
        b"PUT /api/contents/a.ipynb HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: token a-token\r\nContent-Length: %d\r\n\r\n" % len(model)
    )
    writer.write(model[: LARGE_BYTES + PIECE_BYTES])
    await writer.drain()
    await asyncio.wait_for(contents.begun.wait(), 30)
    writer.close()
    await asyncio.wait_for(contents.broken.wait(), 30)
