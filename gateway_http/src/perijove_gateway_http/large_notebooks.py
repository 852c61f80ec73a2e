"""Large notebooks on their way in: passed on as they come, and read by nobody here."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import msgspec
from perijove.contents.v1 import contents_pb2 as pb
from perijove_chassis.pieces import Piece

if TYPE_CHECKING:
    import grpc
    from perijove.contents.v1 import contents_pb2_grpc

    from perijove_gateway_http.incoming import Incoming

    WriteCall = grpc.aio.StreamUnaryCall[pb.WriteContentRequest | Piece, pb.WriteContentResponse]

LARGE_BYTES = 1024 * 1024
"""Smallest body that is passed on unread. Of smaller ones the faults are told better."""

_HEAD_BYTES = 4096

_WHITE = rb"[ \t\r\n]*+"
_MEMBER = (
    _WHITE + rb'"[a-z_]++"' + _WHITE + rb":" + _WHITE + rb'(?:"[^"\\]*+"|null)' + _WHITE + rb","
)
_BEGINNING = re.compile(
    _WHITE
    + rb"\{((?:"
    + _MEMBER
    + rb")*+)"
    + _WHITE
    + rb'"content"'
    + _WHITE
    + rb":"
    + _WHITE
    + rb"\{"
)
"""A model whose content comes after short members only, as front ends send it."""


class _Said(msgspec.Struct):
    type: str | None = None
    chunk: str | None = None
    copy_from: str | None = None


async def is_one(incoming: Incoming, content_length: int | None) -> bool:
    """Return whether a body is large and says, before its content, to be a notebook."""
    if (content_length or 0) < LARGE_BYTES:
        return False
    found = _BEGINNING.match(await incoming.peek(_HEAD_BYTES))
    if not found:
        return False
    try:
        said = msgspec.json.decode(b"{" + found[1].rstrip(b", \t\r\n") + b"}", type=_Said)
    except msgspec.DecodeError:
        return False
    return said.type == "notebook" and said.chunk is None and said.copy_from is None


async def pass_on(
    stub: contents_pb2_grpc.ContentsServiceAsyncStub,
    header: pb.WriteContentHeader,
    incoming: Incoming,
) -> pb.WriteContentResponse:
    """Write content as it comes; nothing is changed if it breaks off.

    Raises:
        grpc.aio.AioRpcError: if the service refuses it.
    """
    call = cast("WriteCall", stub.WriteContent())
    try:
        # A call that has ended already says why when it is awaited.
        with suppress(asyncio.InvalidStateError):
            await _write(call, header, incoming)
        return await call
    finally:
        call.cancel()


async def _write(call: WriteCall, header: pb.WriteContentHeader, incoming: Incoming) -> None:
    rest: pb.WriteContentRequest | None = pb.WriteContentRequest(header=header)
    async for parts in incoming.parts():
        await call.write(Piece(parts, rest))
        rest = None
    await call.done_writing()
