"""What happens to the tree, published by the sessions service behind gRPC."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from perijove.events.v1 import events_pb2 as pb
from perijove.events.v1 import events_pb2_grpc as pb_grpc
from perijove_chassis import credentials
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.publishing import Publishing
from perijove_chassis.status import rpc_errors_as_domain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from perijove_chassis.settings import Secret
    from perijove_chassis.tls import Dialing
    from prometheus_client import CollectorRegistry

    from perijove_contents.reporting import Happening

SCHEMA_ID = "https://events.jupyter.org/jupyter_server/contents_service/v1"
VERSION = "1"


@asynccontextmanager
async def published(
    target: str, service_key: Secret, dialing: Dialing | None, registry: CollectorRegistry
) -> AsyncIterator[Callable[[Happening], None]]:
    """Publish what is told, if there is a target, until the block ends."""
    if not target:
        yield lambda _: None
        return
    events = GrpcEvents(target, service_key, dialing)
    try:
        async with Publishing(events.publish, registry) as publishing:
            yield publishing.put
    finally:
        await events.close()


class GrpcEvents:
    """`EventsService` at a gRPC target."""

    def __init__(self, target: str, service_key: Secret, tls: Dialing | None) -> None:
        issuer = credentials.Issuer(
            credentials.derive_key(service_key, "sessions"), "contents", "sessions"
        )
        self._channel = Channel(target, issuer, Deadlines(10.0), tls=tls)
        stub: pb_grpc.EventsServiceAsyncStub = pb_grpc.EventsServiceStub(
            self._channel  # type: ignore[call-overload]
        )
        self._stub = stub

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    async def publish(self, happenings: Sequence[Happening], request_id: str) -> None:
        """Publish what has happened, once for a request however often it is made."""
        events = [_event_to_proto(happening) for happening in happenings]
        request = pb.PublishEventsRequest(events=events, request_id=request_id)
        with rpc_errors_as_domain():
            await self._stub.PublishEvents(request)


def _event_to_proto(happening: Happening) -> pb.Event:
    timestamp = Timestamp()
    timestamp.FromDatetime(happening.time)
    return pb.Event(
        schema_id=SCHEMA_ID,
        version=VERSION,
        data=msgspec.json.encode(happening.data),
        timestamp=timestamp,
    )
