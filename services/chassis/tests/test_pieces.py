"""Runs of bytes travel as they do in any other message."""

from __future__ import annotations

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st
from perijove_chassis.pieces import Piece, Pieces

RUNS = Pieces(Any, "value")


@given(st.lists(st.binary(max_size=200)))
@example([bytes(127)])
@example([bytes(128)])
@example([bytes(2**14 - 1), b"", bytes(1)])
@example([bytes(2**21)])
def test_a_piece_is_the_message_with_its_parts_in_a_row(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    sent = RUNS.serialize(Piece([memoryview(part) for part in parts]))
    assert Any.FromString(sent) == Any(value=whole)
    assert RUNS.parse(sent) == whole
    if whole:
        assert sent == Any(value=whole).SerializeToString()


@given(st.text(min_size=1), st.binary())
def test_a_message_that_holds_anything_else_stays_one(url: str, run: bytes) -> None:
    message = Any(type_url=url, value=run)
    sent = RUNS.serialize(message)
    assert sent == message.SerializeToString()
    assert RUNS.parse(sent) == message
    assert RUNS.parse(RUNS.serialize(Piece([run[:5], run[5:]], Any(type_url=url)))) == message
    # The order of fields is anybody's choice.
    turned = Any(value=run or b"x").SerializeToString() + Any(type_url=url).SerializeToString()
    assert RUNS.parse(turned) == Any(type_url=url, value=run or b"x")


@given(st.binary(max_size=20))
def test_whatever_comes_is_what_protobuf_takes_it_for(tail: bytes) -> None:
    for data in (tail, b"\x12" + tail):
        try:
            told = Any.FromString(data)
        except DecodeError:
            with pytest.raises(DecodeError):
                RUNS.parse(data)
            continue
        found = RUNS.parse(data)
        assert found == (told.value if isinstance(found, memoryview) else told)
