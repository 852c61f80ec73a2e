"""What a gRPC client is told when a runner is killed in the middle of a cell."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import psutil
import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove.kernels.v1 import channels_pb2_grpc as pb_grpc
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, runner_name

from tests.running import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.jupyter_ws import JupyterClient
    from tests.running import RunningPerijove

GENEROUS_S = 60.0
KILLED_AT = "20"
LATER_KILLED_AT = "1020"
"""A number that no other test prints: its journal may still be there."""


class GrpcClient:
    """A client of one kernel that comes back with its session after its stream broke."""

    def __init__(self, stub: Any, kernel_id: str) -> None:
        self.responses: list[pb.ConnectResponse] = []
        self._stub = stub
        self._attach = pb.Attach(kernel_id=kernel_id, client_session_id=uuid.uuid4().hex)
        self._call: Any = None

    async def attach(self) -> pb.Attached:
        """Attach and return the answer."""
        self._call = self._stub.Connect(timeout=GENEROUS_S)
        await self._call.write(pb.ConnectRequest(attach=self._attach))
        response = await self._call.read()
        assert response.WhichOneof("payload") == "attached"
        attached: pb.Attached = response.attached
        return attached

    def resume_after(self, attached: pb.Attached) -> None:
        """Come back to the place where a stream has begun."""
        self._attach.resume.epoch, self._attach.resume.sequence = attached.epoch, attached.sequence

    async def execute(self, code: str) -> str:
        """Ask the kernel to run code and return the request's id."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "session": self._attach.client_session_id,
            "username": "test",
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "allow_stdin": False}
        frames = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        message = pb.KernelMessage(channel=pb.CHANNEL_SHELL, frames=frames)
        batch = pb.KernelMessageBatch(messages=[message])
        await self._call.write(pb.ConnectRequest(batch=batch))
        return header["msg_id"]

    async def read(self) -> None:
        """Keep what comes next, over as many streams as it takes."""
        while True:
            try:
                response = await self._call.read()
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                response = grpc.aio.EOF
            if response is not grpc.aio.EOF:
                self.responses.append(response)
                return
            await self.attach()

    def kinds(self, request: str) -> list[str]:
        """Return the kinds of messages that belong to a request, `idle` for that status."""
        return [
            kind
            for message in self._messages()
            if _part(message, 1).get("msg_id") == request
            and (kind := _part(message, 3).get("execution_state") or _part(message, 0)["msg_type"])
        ]

    def printed(self) -> str:
        """Return all that was printed so far."""
        return "".join(
            _part(message, 3).get("text", "")
            for message in self._messages()
            # The kernel's debugger may warn on stderr.
            if _part(message, 3).get("name") == "stdout"
        )

    def gaps(self) -> list[pb.Gap]:
        """Return the gaps that were announced."""
        return [found.gap for found in self.responses if found.WhichOneof("payload") == "gap"]

    def _messages(self) -> list[pb.KernelMessage]:
        return [message for found in self.responses for message in found.batch.messages]


@pytest.fixture
async def stub(perijove: RunningPerijove) -> AsyncIterator[Any]:
    environment = psutil.Process(perijove.pid("runner")).environ()
    key = bytes.fromhex(environment["PERIJOVE_RUNNER_SERVICE_KEY"])
    name = runner_name(environment["PERIJOVE_RUNNER_ID"])
    channel = Channel(perijove.target("runner"), Issuer(key, "test", name), Deadlines())
    make_stub: Any = pb_grpc.ChannelsServiceStub
    yield make_stub(channel)
    await channel.close()


async def test_a_gap_is_announced_and_the_pending_request_is_answered(
    perijove: RunningPerijove, jupyter: JupyterClient, stub: Any
) -> None:
    session = await jupyter.new_session("gap.ipynb")
    client = GrpcClient(stub, session["kernel"]["id"])
    attached = await client.attach()
    assert not attached.resumed
    request = await client.execute(
        "import time\nfor number in range(60): print(number, flush=True); time.sleep(0.05)"
    )
    while KILLED_AT not in client.printed().split():
        await client.read()
    old = perijove.kill("runner")
    while not {"execute_reply", "idle"} <= set(client.kinds(request)):
        await client.read()
    await perijove.wait_restarted("runner", old)
    gaps = client.gaps()
    assert [gap.cause for gap in gaps] == [pb.GAP_CAUSE_RUNNER_RESTARTED]
    assert gaps[0].message
    assert client.kinds(request).count("execute_reply") == 1
    assert client.kinds(request).count("idle") == 1
    numbers = [int(word) for word in client.printed().split()]
    assert numbers == sorted(set(numbers))
    await jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)


async def test_who_resumes_gets_what_a_killed_runner_had_received(
    perijove: RunningPerijove, jupyter: JupyterClient, stub: Any
) -> None:
    session = await jupyter.new_session("had.ipynb")
    away, reader = (GrpcClient(stub, session["kernel"]["id"]) for _ in range(2))
    begun = await away.attach()
    await reader.attach()
    request = await reader.execute(
        "import time\nfor number in range(1000, 1060): print(number, flush=True); time.sleep(0.05)"
    )
    await until(lambda: _is_on_disk(perijove, LATER_KILLED_AT))
    old = perijove.kill("runner")
    await perijove.wait_restarted("runner", old)
    away.resume_after(begun)
    await away.attach()
    while "idle" not in away.kinds(request):
        await away.read()
    assert [gap.cause for gap in away.gaps()] == [pb.GAP_CAUSE_RUNNER_RESTARTED]
    (place,) = (n for n, found in enumerate(away.responses) if found.HasField("gap"))
    before = GrpcClient(stub, "")
    before.responses = away.responses[:place]
    numbers = [int(word) for word in before.printed().split()]
    assert numbers == list(range(1000, 1000 + len(numbers)))
    assert numbers[-1] >= int(LATER_KILLED_AT)
    everything = [int(word) for word in away.printed().split()]
    assert everything == sorted(set(everything))
    await jupyter.call("DELETE", f"api/sessions/{session['id']}", expect=204)


def _is_on_disk(perijove: RunningPerijove, number: str) -> bool:
    text = json.dumps({"name": "stdout", "text": f"{number}\n"}).encode()
    files = (perijove.runtime_dir / "runner" / "j").glob("*/*")
    return any(text in file.read_bytes() for file in files)


def _part(message: pb.KernelMessage, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.frames[number])
    return found
