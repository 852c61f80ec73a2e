"""What a kernel says in quick succession travels together."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner.backends.relay_notes import RelayNotesFile
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.feed import Feed
from perijove_runner.journal import BATCH_MESSAGES, EVERYONE
from perijove_runner.keeping import RelayKeeper
from perijove_runner.model import Channel
from perijove_runner.receiving import Receiving
from perijove_runner.requests import Requests
from perijove_runner.rules import MessageRules
from perijove_runner.snapshot import RelayLimits, RelaySnapshot, SpoolLimits

if TYPE_CHECKING:
    from pathlib import Path

PARENT = {"msg_id": "1", "msg_type": "execute_request", "session": "s"}
STREAM = ("stream", {"name": "stdout", "text": "x"})
BUSY = ("status", {"execution_state": "busy"})
IDLE = ("status", {"execution_state": "idle"})
INPUT = ("execute_input", {"code": "x"})
RESULT = ("execute_result", {"data": {"text/plain": "1"}})
REPLY = ("execute_reply", {"status": "ok"})


def frames(msg_type: str, content: object) -> list[bytes]:
    parts = ({"msg_id": "m", "msg_type": msg_type}, PARENT, {}, content)
    return [json.dumps(part).encode() for part in parts]


class Talk:
    """A kernel that is asked something by the client `a`, and a reader."""

    def __init__(self, path: Path) -> None:
        limits = RelayLimits()
        spool = SpoolRoom(SpoolLimits()).spool(path.with_name("j"))
        self.feed = Feed(limits, spool, lambda: self.feed.present)
        requests = Requests(limits)
        snapshot = RelaySnapshot(identity=b"me", sequence_limit=10, last_activity_time=1.0)
        keeper = RelayKeeper(RelayNotesFile(path), "k", lambda: snapshot)
        self.receiving = Receiving(self.feed, requests, {"a"}, keeper, MessageRules(), lambda: None)
        self.receiving.begin_epoch(1)
        requests.sent("a", Channel.SHELL, [json.dumps(PARENT).encode(), b"{}", b"{}", b"{}"])
        self.place = 0
        self.woken = asyncio.ensure_future(self.feed.wait(self.place))

    def hears(self, *said: tuple[str, object]) -> None:
        for msg_type, content in said:
            channel = Channel.SHELL if msg_type.endswith("_reply") else Channel.IOPUB
            self.receiving.received(channel, frames(msg_type, content))

    async def is_woken(self) -> bool:
        for _ in range(3):
            await asyncio.sleep(0)
        return self.woken.done()

    def read(self) -> list[str]:
        response, self.place = self.feed.read(self.place, "a")
        batch = pb.ConnectResponse.FromString(response).batch
        self.woken = asyncio.ensure_future(self.feed.wait(self.place))
        return [json.loads(message.frames[0])["msg_type"] for message in batch.messages]


@pytest.fixture
async def talk(tmp_path: Path) -> Talk:
    talk = Talk(tmp_path / "notes")
    assert not await talk.is_woken()
    return talk


async def test_what_only_begins_a_request_waits_for_what_follows(talk: Talk) -> None:
    talk.hears(BUSY, INPUT)
    assert not await talk.is_woken()
    talk.hears(STREAM)
    assert await talk.is_woken()
    assert talk.read() == ["status", "execute_input", "stream"]


@pytest.mark.parametrize("ends", [(REPLY, IDLE), (IDLE, REPLY)])
async def test_both_ends_of_a_request_travel_together(
    talk: Talk, ends: tuple[tuple[str, object], ...]
) -> None:
    talk.hears(ends[0])
    assert not await talk.is_woken()
    talk.hears(ends[1])
    assert await talk.is_woken()
    assert len(talk.read()) == 2


@pytest.mark.parametrize("first", [BUSY, INPUT, REPLY, IDLE])
async def test_a_message_that_nothing_follows_does_not_wait_for_long(
    talk: Talk, first: tuple[str, object]
) -> None:
    talk.hears(first)
    async with asyncio.timeout(10):
        await talk.woken
    assert talk.read() == [first[0]]


async def test_other_messages_do_not_wait(talk: Talk) -> None:
    for said in (STREAM, ("status", {"execution_state": "starting"}), RESULT):
        talk.hears(said)
        assert await talk.is_woken()
        assert talk.read() == [said[0]]
        assert not await talk.is_woken()


async def test_output_soon_after_a_delivery_waits_for_more(talk: Talk) -> None:
    for _ in range(3):
        talk.hears(STREAM)
    assert await talk.is_woken()
    assert talk.read() == ["stream"] * 3
    assert not await talk.is_woken()
    talk.hears(STREAM)
    talk.hears(STREAM)
    assert not await talk.is_woken()
    async with asyncio.timeout(10):
        await talk.woken
    assert talk.read() == ["stream"] * 2


@pytest.mark.parametrize("said", [RESULT, ("comm_msg", {}), ("input_request", {})])
async def test_whatever_else_is_said_takes_waiting_output_along(
    talk: Talk, said: tuple[str, object]
) -> None:
    talk.hears(STREAM)
    talk.read()
    assert not await talk.is_woken()
    talk.hears(STREAM)
    assert not await talk.is_woken()
    talk.hears(said)
    assert await talk.is_woken()
    assert talk.read() == ["stream", said[0]]


async def test_a_full_batch_and_large_output_do_not_wait(talk: Talk) -> None:
    talk.hears(STREAM)
    talk.read()
    assert not await talk.is_woken()
    for _ in range(BATCH_MESSAGES - 2):
        talk.hears(STREAM)
    assert not await talk.is_woken()
    talk.hears(STREAM)
    assert await talk.is_woken()
    assert len(talk.read()) == BATCH_MESSAGES - 1
    assert not await talk.is_woken()
    talk.hears(("stream", {"name": "stdout", "text": "x" * 70_000}))
    assert await talk.is_woken()


async def test_a_welcome_is_for_the_runner_alone(talk: Talk) -> None:
    talk.receiving.received(
        Channel.IOPUB, [b'{"msg_type": "iopub_welcome"}', b"null", b"null", b"{}"]
    )
    talk.hears(STREAM)
    assert talk.read() == ["stream"]


async def test_clients_that_read_the_same_get_the_very_same_bytes(talk: Talk) -> None:
    for _ in range(3 * BATCH_MESSAGES):
        talk.hears(STREAM)
    ends = []
    for start in (0, 5, BATCH_MESSAGES - 1):
        place = start
        while place < talk.feed.present:
            response, place = talk.feed.read(place, "a")
            ends.append((place, response))
    assert {place for place, _ in ends} == {BATCH_MESSAGES * n for n in (1, 2, 3)}
    assert ends[1][1] is ends[4][1] is ends[7][1]


async def test_what_only_one_client_sees_is_in_its_response_alone(talk: Talk) -> None:
    for audience in (EVERYONE, "a", EVERYONE, "b"):
        talk.receiving.publish(Channel.IOPUB, frames(*STREAM), audience)
    for _ in range(BATCH_MESSAGES):
        talk.hears(STREAM)
    sequences = {}
    for client in ("a", "b", "c"):
        response, _ = talk.feed.read(0, client)
        batch = pb.ConnectResponse.FromString(response).batch
        sequences[client] = [message.sequence for message in batch.messages[:4]]
    assert sequences == {"a": [1, 2, 3, 5], "b": [1, 3, 4, 5], "c": [1, 3, 5, 6]}
