"""Content between chunks and JSON, wherever the chunks are cut."""

from __future__ import annotations

import base64
import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perijove.contents.v1 import contents_pb2 as pb
from perijove_gateway_http import streaming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=6)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[a:b] for a, b in itertools.pairwise(places)] or [b""]


def _fed(value: streaming.Text | streaming.Base64, chunks: list[bytes]) -> str:
    body = b"".join(value.feed(pb.ReadContentResponse(chunk=chunk)) for chunk in chunks)
    return str(json.loads(value.opening + body + value.finish() + value.closing))


@given(st.text(), CUTS)
def test_text_is_the_same_wherever_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode(errors="ignore")
    assert _fed(streaming.Text(), _cut(data, cuts)) == data.decode()


@given(st.binary(max_size=500), CUTS)
def test_base64_has_the_same_lines_wherever_it_is_cut(data: bytes, cuts: list[int]) -> None:
    assert _fed(streaming.Base64(), _cut(data, cuts)) == base64.encodebytes(data).decode()


def test_text_that_ends_in_a_character_is_told() -> None:
    value = streaming.Text()
    value.feed(pb.ReadContentResponse(chunk="ä".encode()[:1]))
    with pytest.raises(UnicodeDecodeError):
        value.finish()


async def test_pages_of_a_directory_make_one_list() -> None:
    header = pb.ReadContentHeader(
        entry=pb.Entry(path="d", type=pb.ENTRY_TYPE_DIRECTORY), format=pb.CONTENT_FORMAT_ENTRIES
    )

    async def rest() -> AsyncIterator[pb.ReadContentResponse]:
        yield pb.ReadContentResponse(entries=[pb.Entry(path="d/a"), pb.Entry(path="d/b")])
        yield pb.ReadContentResponse()
        yield pb.ReadContentResponse(entries=[pb.Entry(path="d/c")])

    parts = [
        part async for part in streaming.Model(pb.ReadContentResponse(header=header)).parts(rest())
    ]
    model = json.loads(b"".join(parts))
    assert [child["name"] for child in model["content"]] == ["a", "b", "c"]
    assert (model["format"], model["type"], model["size"]) == ("json", "directory", None)


async def test_notebook_is_passed_on_byte_for_byte() -> None:
    header = pb.ReadContentHeader(
        entry=pb.Entry(path="n.ipynb", type=pb.ENTRY_TYPE_NOTEBOOK),
        format=pb.CONTENT_FORMAT_NOTEBOOK,
        validation_message="odd",
    )

    async def rest() -> AsyncIterator[pb.ReadContentResponse]:
        yield pb.ReadContentResponse(chunk=b'1,  "b": NaN}')

    first = pb.ReadContentResponse(header=header, chunk=b'{"a":')
    parts = [part async for part in streaming.Model(first).parts(rest())]
    assert b"".join(parts).endswith(b',"content":{"a":1,  "b": NaN}}')
    assert json.loads(b"".join(parts))["message"] == "odd"


def test_content_is_written_in_pieces_behind_one_header() -> None:
    content = bytes(streaming.CHUNK_BYTES * 2 + 5)
    header = pb.WriteContentHeader(path="a")
    requests = list(streaming.write_requests(header, content))
    assert [len(request.chunk) for request in requests] == [1048576, 1048576, 5]
    assert [request.HasField("header") for request in requests] == [True, False, False]
    assert b"".join(request.chunk for request in requests) == content
    empty = list(streaming.write_requests(header, b""))
    assert [request.header.path for request in empty] == ["a"]
