"""Calls of the contents service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Stub = contents_pb2_grpc.ContentsServiceAsyncStub


MIB = 1024 * 1024


def messages(
    header: pb.WriteContentHeader | None, *chunks: bytes
) -> Iterator[pb.WriteContentRequest]:
    yield pb.WriteContentRequest(header=header, chunk=chunks[0] if chunks else b"")
    for chunk in chunks[1:]:
        yield pb.WriteContentRequest(chunk=chunk)


async def write(stub: Stub, *chunks: bytes, **header: Any) -> pb.WriteContentResponse:
    return await stub.WriteContent(messages(pb.WriteContentHeader(**header), *chunks))


async def read(stub: Stub, **request: Any) -> list[pb.ReadContentResponse]:
    return [found async for found in stub.ReadContent(pb.ReadContentRequest(**request))]


def tree(root: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
    }


async def save(stub: Stub, content: bytes, **header: Any) -> pb.SaveContentResponse:
    return await stub.SaveContent(
        pb.SaveContentRequest(header=pb.WriteContentHeader(**header), content=content)
    )
