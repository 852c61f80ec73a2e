"""How the edge reaches the services."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, cast

from perijove.contents.v1 import (
    contents_pb2,
    contents_pb2_grpc,
    conversion_pb2_grpc,
    documents_pb2_grpc,
)
from perijove.events.v1 import events_pb2, events_pb2_grpc
from perijove.kernels.v1 import channels_pb2, kernels_pb2_grpc, kernelspecs_pb2_grpc
from perijove.runners.v1 import runners_pb2_grpc
from perijove.sessions.v1 import sessions_pb2_grpc
from perijove.terminals.v1 import terminals_pb2, terminals_pb2_grpc
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, derive_key, runner_name
from perijove_chassis.permissions import for_nobody
from perijove_chassis.pieces import Pieces
from perijove_chassis.tls import Dialing

if TYPE_CHECKING:
    import grpc
    from perijove.kernels.v1 import kernels_pb2
    from perijove_chassis.settings import Secret

    from perijove_gateway_http.settings import Settings
    from perijove_gateway_http.terminals.upstream import Attach
    from perijove_gateway_http.upstream import Connect

MAX_RUNNERS = 1000
"""Most runners this process stays connected to. The one asked for longest ago is
left for a new one; its WebSockets close, and connect again."""

_ISSUER = "gateway_http"
_CONNECT = f"/{channels_pb2.DESCRIPTOR.services_by_name['ChannelsService'].full_name}/Connect"
_ATTACH = f"/{terminals_pb2.DESCRIPTOR.services_by_name['TerminalsService'].full_name}/Attach"
_CONTENTS = contents_pb2.DESCRIPTOR.services_by_name["ContentsService"].full_name
_TRANSFER_S = 600.0

DEADLINES = Deadlines(
    default_s=10.0,
    by_method={
        "ReadContent": _TRANSFER_S,
        "WriteContent": _TRANSFER_S,
        # Converting is limited there, and so is how many wait for it.
        "ConvertNotebook": _TRANSFER_S,
        "ConvertContent": _TRANSFER_S,
        # The first one waits for a process to start.
        "ListExporters": 100.0,
        "CopyEntry": 120.0,
        "DeleteEntry": 60.0,
        "RestoreCheckpoint": 60.0,
        "CreateCheckpoint": 60.0,
        "StartKernel": 70.0,
        "RestartKernel": 70.0,
        "ShutdownKernel": 30.0,
        "InterruptKernel": 20.0,
        "CreateSession": 75.0,
        "UpdateSession": 75.0,
        "DeleteSession": 35.0,
        "CreateTerminal": 30.0,
        "DeleteTerminal": 20.0,
        # As long as the WebSocket it serves.
        "Connect": None,
        "Attach": None,
        # As long as this process.
        "WatchKernels": None,
        "WatchSessions": None,
        "SubscribeEvents": None,
    },
)

_PIECES: dict[str, Pieces[Any]] = {
    f"/{_CONTENTS}/ReadContent": Pieces(contents_pb2.ReadContentResponse, "chunk"),
    f"/{_CONTENTS}/WriteContent": Pieces(contents_pb2.WriteContentRequest, "chunk"),
}
"""How content travels: see `streaming.py`."""

_REPEATABLE = {
    _CONTENTS: (
        "GetEntry",
        "ListEntries",
        "ListCheckpoints",
        "GetKernelPath",
    ),
    "perijove.contents.v1.ConversionService": ("ListExporters",),
    "perijove.contents.v1.DocumentsService": ("GetDocument", "ListDocuments"),
    "perijove.kernels.v1.KernelsService": ("GetKernel", "ListKernels"),
    "perijove.kernels.v1.KernelspecsService": ("GetKernelspec", "ListKernelspecs"),
    # Its requests have ids, by which a second one does nothing.
    "perijove.events.v1.EventsService": ("PublishEvents",),
    "perijove.sessions.v1.SessionsService": ("GetSession", "ListSessions"),
    "perijove.terminals.v1.TerminalsService": ("GetTerminal", "ListTerminals"),
}


class Stubs:
    """A stub for every service; runners are connected to when they are asked for."""

    def __init__(self, settings: Settings) -> None:
        key = settings.service_key
        self._service_key = key
        self._tls = tls = Dialing.load(
            settings.tls_dial_ca, settings.tls_dial_cert, settings.tls_dial_key
        )
        contents = _channel(settings.contents, key, "contents", tls)
        sessions = _channel(settings.sessions, key, "sessions", tls)
        kernels = _channel(settings.kernels, key, "kernels", tls)
        self._fixed = (contents, sessions, kernels)
        self._runners: OrderedDict[tuple[str, str], Channel] = OrderedDict()
        self._leaving: set[asyncio.Task[None]] = set()
        self.contents = contents_pb2_grpc.ContentsServiceStub(_as_grpc(contents))
        self.conversion = conversion_pb2_grpc.ConversionServiceStub(_as_grpc(contents))
        self.documents = documents_pb2_grpc.DocumentsServiceStub(_as_grpc(contents))
        self.sessions = sessions_pb2_grpc.SessionsServiceStub(_as_grpc(sessions))
        self.events = events_pb2_grpc.EventsServiceStub(_as_grpc(sessions))
        self.kernels = kernels_pb2_grpc.KernelsServiceStub(_as_grpc(kernels))
        self.kernelspecs = kernelspecs_pb2_grpc.KernelspecsServiceStub(_as_grpc(kernels))
        self.runners = runners_pb2_grpc.RunnersServiceStub(_as_grpc(kernels))
        self.terminals = terminals_pb2_grpc.TerminalsServiceStub(_as_grpc(kernels))

    def subscribe(self, after: kernels_pb2.FeedPosition | None) -> Any:  # noqa: ANN401
        """Open a stream of events that goes on from a position, or begins.

        It is for all who follow, not for the one who came first.
        """
        with for_nobody():
            return self.events.SubscribeEvents(events_pb2.SubscribeEventsRequest(after=after))

    def channels(self, runner_id: str, address: str) -> Connect:
        """Return what opens message streams to one runner's kernels.

        What comes over them is left as bytes: see `arrivals.py`.
        """
        connect: Connect = self._runner(runner_id, address).stream_stream(
            _CONNECT, request_serializer=channels_pb2.ConnectRequest.SerializeToString
        )
        return connect

    def attach(self, runner_id: str, address: str) -> Attach:
        """Return what opens streams to one runner's terminals."""
        attach: Attach = self._runner(runner_id, address).stream_stream(
            _ATTACH,
            request_serializer=terminals_pb2.AttachRequest.SerializeToString,
            response_deserializer=terminals_pb2.AttachResponse.FromString,
        )
        return attach

    def _runner(self, runner_id: str, address: str) -> Channel:
        where = (runner_id, address)
        grpc_channel = self._runners.get(where)
        if grpc_channel is None:
            name = runner_name(runner_id)
            grpc_channel = _channel(address, self._service_key, name, self._tls)
            self._runners[where] = grpc_channel
            if len(self._runners) > MAX_RUNNERS:
                _, oldest = self._runners.popitem(last=False)
                leaving = asyncio.ensure_future(oldest.close())
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
        self._runners.move_to_end(where)
        return grpc_channel

    async def close(self) -> None:
        """Close every connection; calls in flight are cancelled."""
        await asyncio.gather(*self._leaving)
        for grpc_channel in (*self._runners.values(), *self._fixed):
            await grpc_channel.close()


def _channel(target: str, service_key: Secret, audience: str, tls: Dialing) -> Channel:
    issuer = Issuer(derive_key(service_key, audience), issuer=_ISSUER, audience=audience)
    return Channel(target, issuer, DEADLINES, retry=_retry(), pieces=_PIECES, tls=tls)


def _as_grpc(grpc_channel: Channel) -> grpc.aio.Channel:
    """Return the same: it is all of a channel that a generated stub uses."""
    return cast("grpc.aio.Channel", grpc_channel)


def _retry() -> list[dict[str, str]]:
    return [
        {"service": service, "method": method}
        for service, methods in _REPEATABLE.items()
        for method in methods
    ]
