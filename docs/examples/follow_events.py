"""Prints what happens, as it happens, and misses nothing while services are restarted.

Usage, with the target and the token that `perijove up` prints:

    PERIJOVE_SESSIONS=unix:/... PERIJOVE_TOKEN=... python follow_events.py
"""

import os
import time

import grpc
from perijove.events.v1 import events_pb2, events_pb2_grpc

TOKEN = (("authorization", f"Bearer {os.environ['PERIJOVE_TOKEN']}"),)


def main() -> None:
    """Follow events to the end; after a break, go on where it was."""
    after = None
    with grpc.insecure_channel(os.environ["PERIJOVE_SESSIONS"]) as grpc_channel:
        stub = events_pb2_grpc.EventsServiceStub(grpc_channel)
        while True:
            request = events_pb2.SubscribeEventsRequest(after=after)
            try:
                for response in stub.SubscribeEvents(request, metadata=TOKEN, wait_for_ready=True):
                    if response.gap:
                        print("(events are missing here)", flush=True)
                    for event in response.events:
                        name = event.schema_id.removeprefix("https://events.jupyter.org/")
                        print(name, event.data.decode(), flush=True)
                    after = response.position
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                time.sleep(0.2)


if __name__ == "__main__":
    main()
