"""Bytes written by hand, held against the generated classes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner import encoding, headers

messages = st.tuples(
    st.sampled_from([1, 2, 3, 4]),
    st.one_of(
        st.integers(0, 1 << 62),
        st.sampled_from([0, 127, 128, (1 << 14) - 1, 1 << 14, (1 << 28) - 1, 1 << 28]),
    ),
    st.lists(st.binary(max_size=200), max_size=9),
)


@given(st.lists(messages, max_size=6))
def test_a_batch_equals_what_the_generated_classes_write(
    batch: list[tuple[int, int, list[bytes]]],
) -> None:
    entries = [encoding.entry(*message) for message in batch]
    expected = pb.ConnectResponse(
        batch=pb.KernelMessageBatch(
            messages=[
                pb.KernelMessage(channel=channel, sequence=sequence, frames=frames)
                for channel, sequence, frames in batch
            ]
        )
    )
    written = encoding.batch_response(entries)
    assert pb.ConnectResponse.FromString(written) == expected
    if all(sequence for _, sequence, _ in batch):
        # A generated class leaves a zero out; no message of a kernel has that number.
        assert written == expected.SerializeToString()


def test_frames_of_every_length_class_are_written_right() -> None:
    frames = [bytes(size) for size in (0, 127, 128, (1 << 14) - 1, 1 << 14, 1 << 21)]
    message = pb.KernelMessage(channel=1, sequence=3, frames=frames)
    expected = pb.KernelMessageBatch(messages=[message]).SerializeToString()
    assert encoding.entry(1, 3, frames) == expected


@given(st.text(), st.text(), st.text())
def test_ids_are_read_without_parsing_as_a_parser_reads_them(
    msg_id: str, username: str, kind: str
) -> None:
    import json

    for compact in (True, False):
        separators = (",", ":") if compact else (", ", ": ")
        for ascii_ in (True, False):
            raw = json.dumps(
                {"username": username, "msg_id": msg_id, "session": "s", "msg_type": kind},
                separators=separators,
                ensure_ascii=ascii_,
            ).encode(errors="replace")
            if "\ufffd" in raw.decode(errors="replace") or b"?" in raw:
                continue
            assert headers.msg_id(raw) == msg_id
            assert headers.msg_type(raw) == kind
            assert headers.session(raw) == "s"


def test_a_value_that_looks_like_a_key_is_not_taken_for_one() -> None:
    assert headers.msg_id(b'{"username": "msg_id", "msg_id": "a"}') == "a"
    assert headers.msg_id(b'{"username": "\\"msg_id\\": \\"x\\"", "msg_id": "a"}') == "a"
    assert headers.msg_id(b'{"msg_id": 5}') == ""
    assert headers.msg_id(b"{") == ""
    assert headers.msg_id(b'{"msg_id"') == ""
    assert headers.msg_id(b"[]") == ""
