"""`EventsService` on real sockets, over real Redis: several replicas, and those who follow."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from perijove.events.v1 import events_pb2 as pb
from perijove.events.v1 import events_pb2_grpc as pb_grpc
from perijove_chassis import credentials, status
from perijove_chassis.client import Channel, Deadlines
from perijove_sessions import services
from perijove_sessions.events.backends.redis import RedisEventStore
from perijove_sessions.events.backends.schemas import LoadedSchemas, all_documents
from perijove_sessions.events.manager import EventManager, Limits
from perijove_sessions.events.store import Kept

from services.sessions.tests.replicas import KEY, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CORE = "https://events.jupyter.org/jupyter_server/"
GATEWAY = f"{CORE}gateway_client/v1"
GENEROUS_S = 60


@dataclass
class Replica:
    """One replica of the events, with a client of its own."""

    target: str
    grpc_server: grpc.aio.Server
    store: RedisEventStore
    running: asyncio.Task[None]
    channel: Channel
    stub: Any

    @classmethod
    async def start(cls, target: str, url: str, kept: Kept, limits: Limits) -> Replica:
        store = RedisEventStore(url, kept)
        manager = EventManager(store, LoadedSchemas(all_documents("")), limits)
        grpc_server = await serve(target, "sessions", services.events(manager))
        issuer = credentials.Issuer(credentials.derive_key(KEY, "sessions"), "edge", "sessions")
        channel = Channel(target, issuer, Deadlines(GENEROUS_S))
        stub = pb_grpc.EventsServiceStub(channel)  # type: ignore[call-overload]
        running = asyncio.create_task(manager.run())
        return cls(target, grpc_server, store, running, channel, stub)

    async def publish(self, *numbers: int, request_id: str = "") -> pb.PublishEventsResponse:
        events = [event(number) for number in numbers]
        return await self.stub.PublishEvents(  # type: ignore[no-any-return]
            pb.PublishEventsRequest(events=events, request_id=request_id)
        )

    def follow(self, after: Any = None, *schema_ids: str) -> Follower:
        request = pb.SubscribeEventsRequest(after=after, schema_ids=schema_ids)
        return Follower(self.stub.SubscribeEvents(request))

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.channel.close()
        await self.grpc_server.stop(0)
        await self.store.close()


class Follower:
    """Somebody who follows events."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.numbers: list[int] = []
        self.gaps = 0
        self.position: Any = None

    async def read(self) -> pb.SubscribeEventsResponse:
        async with asyncio.timeout(GENEROUS_S):
            response = await self.call.read()
        assert response is not grpc.aio.EOF
        self.position = response.position
        self.gaps += response.gap
        self.numbers += [json.loads(found.data)["status_code"] for found in response.events]
        return response  # type: ignore[no-any-return]

    async def until(self, number: int) -> list[int]:
        while number not in self.numbers:
            await self.read()
        return self.numbers


def event(number: int, **fields: Any) -> pb.Event:
    data = {"status": "success", "msg": "ä", "status_code": number}
    given = {"schema_id": GATEWAY, "version": "1", "data": json.dumps(data).encode()}
    return pb.Event(**{**given, **fields})


@dataclass
class World:
    """Where replicas are started."""

    folder: Path
    url: str
    stack: AsyncExitStack
    count: int = 0

    async def replica(self, limits: Limits | None = None, **kept: Any) -> Replica:
        self.count += 1
        target = f"unix:{self.folder}/e{self.count}.sock"
        replica = await Replica.start(target, self.url, Kept(**kept), limits or Limits())
        self.stack.push_async_callback(replica.stop)
        return replica


@pytest.fixture
async def world(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(tmp_path, redis_url, stack)


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), status.error_of(caught.value).reason


async def test_what_one_replica_publishes_another_tells(world: World) -> None:
    one, other = await world.replica(), await world.replica()
    await one.publish(1)
    followers = [one.follow(), other.follow()]
    for follower in followers:
        header = await follower.read()
        assert (list(header.events), header.gap) == ([], False)
    await one.publish(2, 3)
    await other.publish(4)
    for follower in followers:
        assert await follower.until(4) == [2, 3, 4]


async def test_an_event_is_told_as_it_was_published(world: World) -> None:
    replica = await world.replica()
    follower = replica.follow()
    await follower.read()
    timestamp = Timestamp(seconds=1_700_000_000, nanos=123_000)
    data = b'{ "status":"error", "msg": "\\u00e4", "unknown": [1.5, null] }'
    await replica.stub.PublishEvents(
        pb.PublishEventsRequest(events=[event(0, data=data, timestamp=timestamp)])
    )
    found = (await follower.call.read()).events[0]
    assert (found.schema_id, found.version, found.timestamp) == (GATEWAY, "1", timestamp)
    assert json.loads(found.data) == json.loads(data)


async def test_who_resumes_through_another_replica_misses_nothing(world: World) -> None:
    one, other = await world.replica(), await world.replica()
    follower = one.follow()
    await follower.read()
    await one.publish(1, 2)
    assert await follower.until(2) == [1, 2]
    one.running.cancel()
    code, _ = await refusal(follower.until(3))
    assert code is grpc.StatusCode.UNAVAILABLE
    await other.publish(3, 4)
    again = other.follow(follower.position)
    assert await again.until(4) == [3, 4]
    assert again.gaps == 0


async def test_who_comes_back_too_late_is_told_of_a_gap(world: World) -> None:
    replica = await world.replica(events=3)
    follower = replica.follow()
    await follower.read()
    follower.call.cancel()
    await replica.publish(*range(10))
    again = replica.follow(follower.position)
    assert await again.until(9) == [7, 8, 9]
    assert again.gaps == 1


async def test_a_repeated_request_publishes_once(world: World) -> None:
    one, other = await world.replica(), await world.replica()
    follower = one.follow()
    await follower.read()
    first = await one.publish(1, request_id="r")
    assert await other.publish(1, request_id="r") == first
    await one.publish(2)
    assert await follower.until(2) == [1, 2]


async def test_only_events_of_the_named_schemas_are_told(world: World) -> None:
    replica = await world.replica()
    follower = replica.follow(None, f"{CORE}contents_service/v1")
    await follower.read()
    await replica.publish(1)
    saved = pb.Event(
        schema_id=f"{CORE}contents_service/v1",
        version="1",
        data=b'{"action":"save","path":"a"}',
    )
    await replica.stub.PublishEvents(pb.PublishEventsRequest(events=[saved]))
    response = await follower.call.read()
    assert [json.loads(found.data)["path"] for found in response.events] == ["a"]


async def test_a_silent_feed_says_that_it_is_there(world: World) -> None:
    replica = await world.replica(Limits(heartbeat_s=0.02))
    follower = replica.follow()
    positions = [(await follower.read()).position for _ in range(3)]
    assert positions[0] == positions[2]
    await replica.publish(1)
    assert await follower.until(1) == [1]


WRONG = {
    "unknown": ({"schema_id": "urn:x"}, grpc.StatusCode.NOT_FOUND, "NO_SUCH_EVENT_SCHEMA"),
    "no-schema": ({"schema_id": ""}, grpc.StatusCode.INVALID_ARGUMENT, ""),
    "version": ({"version": "2"}, grpc.StatusCode.INVALID_ARGUMENT, "BAD_EVENT"),
    "no-json": ({"data": b"{"}, grpc.StatusCode.INVALID_ARGUMENT, "BAD_EVENT"),
    "no-utf-8": ({"data": b'{"msg":"\xff"}'}, grpc.StatusCode.INVALID_ARGUMENT, "BAD_EVENT"),
    "list": ({"data": b"[]"}, grpc.StatusCode.INVALID_ARGUMENT, "BAD_EVENT"),
    "member": ({"data": b"{}"}, grpc.StatusCode.INVALID_ARGUMENT, "BAD_EVENT"),
    "schema-id-inside": (
        {"data": b'{"status":"error","msg":"","schema_id":"x"}'},
        grpc.StatusCode.INVALID_ARGUMENT,
        "BAD_EVENT",
    ),
    "deep": ({"data": b"[" * 60_000}, grpc.StatusCode.INVALID_ARGUMENT, "BAD_EVENT"),
    "large": (
        {"data": b'{"msg":"%s"}' % (b"x" * 70_000)},
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "LIMIT_EXCEEDED",
    ),
    "timestamp": (
        {"timestamp": Timestamp(seconds=10**15)},
        grpc.StatusCode.INVALID_ARGUMENT,
        "",
    ),
}


async def test_a_wrong_event_is_refused_with_all_beside_it(world: World) -> None:
    replica = await world.replica()
    follower = replica.follow()
    await follower.read()
    for name, (fields, code, reason) in WRONG.items():
        events = [event(1), event(2, **fields)]
        call = replica.stub.PublishEvents(pb.PublishEventsRequest(events=events))
        assert await refusal(call) == (code, reason), name
    await replica.publish(3)
    assert await follower.until(3) == [3]


async def test_requests_have_limits(world: World) -> None:
    replica = await world.replica(Limits(subscribers=1))
    for request in (
        pb.PublishEventsRequest(),
        pb.PublishEventsRequest(events=[event(1)] * 501),
        pb.PublishEventsRequest(events=[event(1)], request_id="x" * 65),
    ):
        code, _ = await refusal(replica.stub.PublishEvents(request))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
    follower = replica.follow()
    await follower.read()
    found = await refusal(replica.follow().call.read())
    assert found == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED")
    follower.call.cancel()
    async with asyncio.timeout(GENEROUS_S):
        while True:
            try:
                await replica.follow().call.read()
            except grpc.aio.AioRpcError:
                continue
            break


async def test_schemas_are_listed_in_pages_and_found(world: World) -> None:
    stub = (await world.replica()).stub
    first = await stub.ListEventSchemas(pb.ListEventSchemasRequest(page_size=2))
    rest = await stub.ListEventSchemas(
        pb.ListEventSchemasRequest(page_size=2, page_token=first.next_page_token)
    )
    found = [*first.schemas, *rest.schemas]
    names = ("contents_service", "gateway_client", "kernel_actions")
    assert [schema.schema_id for schema in found] == [f"{CORE}{name}/v1" for name in names]
    assert rest.next_page_token == ""
    one = await stub.GetEventSchema(pb.GetEventSchemaRequest(schema_id=GATEWAY))
    assert one.schema in found
    assert json.loads(one.schema.document)["$id"] == GATEWAY
    assert one.schema.version == "1"
    assert one.schema.title
    code, reason = await refusal(stub.GetEventSchema(pb.GetEventSchemaRequest(schema_id="x")))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "NO_SUCH_EVENT_SCHEMA")


async def test_nothing_that_is_published_is_lost_to_who_comes_and_goes(world: World) -> None:
    """Several publish through all replicas while one follows, is cut off and resumes."""
    replicas = [await world.replica() for _ in range(3)]
    rounds, each = 20, 5

    async def publish(publisher: int) -> None:
        for number in range(rounds):
            first = (publisher * rounds + number) * each
            await replicas[number % 3].publish(*range(first, first + each))

    follower = replicas[0].follow()
    await follower.read()
    publishing = asyncio.gather(*map(publish, range(4)))
    seen: list[int] = []
    turn = 0
    while len(seen) < 4 * rounds * each:
        await follower.read()
        seen += follower.numbers
        follower.call.cancel()
        turn += 1
        assert follower.gaps == 0
        follower = replicas[turn % 3].follow(follower.position)
    await publishing
    assert sorted(seen) == list(range(4 * rounds * each))
    follower.call.cancel()


async def test_who_does_not_read_delays_nobody_and_is_told_of_a_gap(world: World) -> None:
    replica = await world.replica(events=50)
    slow, quick = replica.follow(), replica.follow()
    await slow.read()
    await quick.read()
    text = "x" * 20_000
    for number in range(400):
        data = json.dumps({"status": "success", "msg": text, "status_code": number})
        events = [event(number, data=data.encode())]
        await replica.stub.PublishEvents(pb.PublishEventsRequest(events=events))
        await quick.until(number)
    assert (quick.numbers, quick.gaps) == (list(range(400)), 0)
    numbers = await slow.until(399)
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 400
    assert slow.gaps >= 1
