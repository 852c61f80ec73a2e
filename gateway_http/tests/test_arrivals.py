"""What several clients are sent is parsed and framed once."""

from __future__ import annotations

import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_gateway_http.arrivals import KEPT, LARGEST_KEPT_BYTES, Arrival, KernelArrivals
from perijove_gateway_http.framing import LegacyFraming, V1Framing


def raw(text: str, size: int = 0) -> bytes:
    frames = [b"{}", b"{}", b"{}", text.encode(), bytes(size)]
    messages = [
        pb.KernelMessage(channel=pb.CHANNEL_IOPUB, sequence=number, frames=frames)
        for number in (1, 2)
    ]
    batch = pb.KernelMessageBatch(messages=messages)
    return pb.ConnectResponse(batch=batch).SerializeToString()


@pytest.mark.parametrize("protocol", [V1Framing(), LegacyFraming()])
def test_a_batch_is_framed_message_by_message_and_once(protocol: V1Framing | LegacyFraming) -> None:
    arrival = Arrival(raw('{"text": "ü"}'))
    framed = arrival.framed(protocol)
    each = [
        b"".join(protocol.join(message.channel, message.frames))
        for message in arrival.response.batch.messages
    ]
    assert framed == b"".join(each)
    assert arrival.framed(type(protocol)()) is framed


def test_what_two_clients_are_sent_is_one_arrival_in_both_formats() -> None:
    arrivals = KernelArrivals()
    with arrivals.of("k") as one, arrivals.of("k") as other:
        arrival = one.take(raw('{"n": 1}'))
        assert other.take(raw('{"n": 1}')) is arrival
        assert arrival.framed(V1Framing()) != arrival.framed(LegacyFraming())
        assert other.take(raw('{"n": 2}')).response.batch.messages[0].frames[3] == b'{"n": 2}'


def test_arrivals_of_another_kernel_are_others() -> None:
    arrivals = KernelArrivals()
    with (
        arrivals.of("k") as one,
        arrivals.of("k"),
        arrivals.of("l") as other,
        arrivals.of("l"),
    ):
        assert one.take(raw("{}")) is not other.take(raw("{}"))


def test_few_arrivals_are_kept_and_none_for_one_client_or_too_large() -> None:
    arrivals = KernelArrivals()
    with arrivals.of("k") as mine:
        assert mine.take(raw("{}")) is not mine.take(raw("{}"))
        with arrivals.of("k"):
            first = mine.take(raw("0"))
            for number in range(1, KEPT + 1):
                mine.take(raw(str(number)))
            assert mine.take(raw("0")) is not first
            large = raw("{}", LARGEST_KEPT_BYTES)
            assert mine.take(large) is not mine.take(large)
    with arrivals.of("k") as again:
        assert again is not mine
