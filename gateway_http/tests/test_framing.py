"""Both formats, byte for byte, against jupyter_server's own."""

from __future__ import annotations

import json
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_gateway_http.framing import (
    FramingError,
    LegacyFraming,
    V1Framing,
    ping,
    websocket_head,
)

CHANNELS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4}

json_objects = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)
frames = st.builds(
    lambda parts, buffers: [*(json.dumps(part).encode() for part in parts), *buffers],
    st.lists(json_objects, min_size=4, max_size=4),
    st.lists(st.binary(max_size=100), max_size=4),
)


def payload(parts: list[bytes]) -> tuple[int, bytes]:
    """Take a WebSocket frame apart: its opcode and what it carries."""
    data = b"".join(parts)
    length, start = data[1], 2
    if length == 126:
        [length], start = struct.unpack_from(">H", data, 2), 4
    elif length == 127:
        [length], start = struct.unpack_from(">Q", data, 2), 10
    assert data[0] & 0x80
    assert len(data) == start + length
    return data[0] & 0xF, data[start:]


def stock_v1(channel: str, parts: list[bytes]) -> bytes:
    segments = [channel.encode(), *parts]
    offsets = [8 * (len(segments) + 2)]
    for segment in segments:
        offsets.append(offsets[-1] + len(segment))
    numbers = [len(offsets), *offsets]
    return b"".join([*(number.to_bytes(8, "little") for number in numbers), *segments])


@given(st.sampled_from(list(CHANNELS)), frames)
def test_v1_is_joined_as_the_protocol_says(channel: str, parts: list[bytes]) -> None:
    assert payload(V1Framing().join(CHANNELS[channel], parts)) == (2, stock_v1(channel, parts))


@given(st.sampled_from(["shell", "stdin", "control"]), frames)
def test_v1_is_split_as_the_protocol_says(channel: str, parts: list[bytes]) -> None:
    message = V1Framing().split(stock_v1(channel, parts))
    assert message == pb.KernelMessage(channel=CHANNELS[channel], frames=parts)


@given(st.binary(max_size=200))
def test_v1_takes_no_nonsense(data: bytes) -> None:
    try:
        V1Framing().split(data)
    except FramingError:
        return
    pytest.fail("taken")


@given(
    st.lists(st.integers(0, 1 << 64), max_size=9).map(lambda ns: [n % (1 << 64) for n in ns]),
    st.binary(max_size=100),
)
def test_v1_offsets_may_say_anything(numbers: list[int], rest: bytes) -> None:
    data = struct.pack(f"<{len(numbers) + 1}Q", len(numbers), *numbers) + rest
    with pytest.raises(FramingError):
        V1Framing().split(data)


HEADER = '{"msg_id": "ä\\"1", "x": {"y": 1}, "msg_type":"stream"}'.encode()


@given(st.sampled_from(list(CHANNELS)), frames)
def test_legacy_is_the_json_that_jupyter_server_writes(channel: str, parts: list[bytes]) -> None:
    _, *rest = parts
    opcode, data = payload(LegacyFraming().join(CHANNELS[channel], [HEADER, *rest]))
    expected = {
        "header": json.loads(HEADER),
        "msg_id": 'ä"1',
        "msg_type": "stream",
        "parent_header": json.loads(rest[0]),
        "metadata": json.loads(rest[1]),
        "content": json.loads(rest[2]),
        "channel": channel,
    }
    buffers = rest[3:]
    if not buffers:
        assert opcode == 1
        assert json.loads(data.decode()) == expected | {"buffers": []}
        return
    assert opcode == 2
    [count] = struct.unpack_from(">I", data)
    assert count == len(buffers) + 1
    offsets = [*struct.unpack_from(f">{count}I", data, 4), len(data)]
    assert offsets[0] == 4 * (count + 1)
    cut = [data[start:stop] for start, stop in pairwise(offsets)]
    assert json.loads(cut[0]) == expected
    assert cut[1:] == buffers


def test_a_text_is_utf_8_whatever_the_kernel_wrote() -> None:
    parts = [HEADER, b"{}", b"{}", b'{"text": "\xff\xfe"}']
    opcode, data = payload(LegacyFraming().join(2, parts))
    assert opcode == 1
    assert json.loads(data.decode())["content"]["text"] == "\ufffd\ufffd"


@given(frames)
def test_legacy_is_cut_without_being_written_anew(parts: list[bytes]) -> None:
    framing = LegacyFraming()
    header, parent, metadata, content, *buffers = parts
    # Spaces and the order of keys stay as the client wrote them.
    text = (
        b'{"channel": "control",  "content": %s, "buffers": [], "metadata":%s,'
        b' "header" : %s, "parent_header": %s}' % (content, metadata, header, parent)
    )
    expected = [header, parent, metadata, content]
    assert framing.split(text) == pb.KernelMessage(channel=4, frames=expected)
    offsets, offset = [], 4 * (len(buffers) + 2)
    for part in (text, *buffers):
        offsets.append(offset)
        offset += len(part)
    data = struct.pack(f">{len(offsets) + 1}I", len(offsets), *offsets)
    data += b"".join((text, *buffers))
    message = framing.split_binary(data)
    assert message == pb.KernelMessage(channel=4, frames=[*expected, *buffers])


def test_a_legacy_message_without_a_channel_is_for_shell() -> None:
    message = LegacyFraming().split(b'{"header": {}, "content": {}}')
    assert message == pb.KernelMessage(channel=1, frames=[b"{}"] * 4)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"5",
        b"{",
        b"[]",
        b'{"content": {}}',
        b'{"header": {}, "content": {}, "channel": "iopub"}',
        b'{"header": {}, "content": {}, "channel": "hb"}',
        b'{"header": {}, "content": {}, "channel": 5}',
        b"\xff",
    ],
)
def test_a_legacy_message_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(FramingError):
        LegacyFraming().split(text)


@given(st.binary(max_size=100))
def test_legacy_binary_takes_no_nonsense(data: bytes) -> None:
    with pytest.raises(FramingError):
        LegacyFraming().split_binary(data)


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_the_head_of_a_frame_fits_its_length(length: int, head: bytes) -> None:
    assert websocket_head(2, length) == head


def test_a_ping_is_a_whole_frame() -> None:
    assert ping(b"abc") == b"\x89\x03abc"
