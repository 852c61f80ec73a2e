"""What happens to the tree, as the sessions service publishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from perijove.events.v1 import events_pb2 as pb
from perijove.events.v1 import events_pb2_grpc as pb_grpc
from perijove_chassis.status import rpc_errors_as_domain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from perijove_chassis.client import Channel
    from perijove_chassis.happening import Happening

SCHEMA_ID = "https://events.jupyter.org/jupyter_server/contents_service/v1"
VERSION = "1"


def sender(channel: Channel) -> Callable[[Sequence[Happening], str], Awaitable[None]]:
    """Return what publishes by a channel, once for a request however often it is made."""
    stub: pb_grpc.EventsServiceAsyncStub = pb_grpc.EventsServiceStub(
        channel  # type: ignore[call-overload]
    )

    async def publish(happenings: Sequence[Happening], request_id: str) -> None:
        events = [_event_to_proto(happening) for happening in happenings]
        request = pb.PublishEventsRequest(events=events, request_id=request_id)
        with rpc_errors_as_domain():
            await stub.PublishEvents(request)

    return publish


def _event_to_proto(happening: Happening) -> pb.Event:
    timestamp = Timestamp()
    timestamp.FromDatetime(happening.time)
    data = msgspec.json.encode(happening.data)
    return pb.Event(schema_id=SCHEMA_ID, version=VERSION, data=data, timestamp=timestamp)
