"""A real kernel, its relay, and clients of the relay over gRPC, for tests and measurements."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_chassis.errors import NotFound
from perijove_runner.backends.relay_notes import RelayNotesFile
from perijove_runner.backends.spool import SpoolRoom
from perijove_runner.channels_servicer import channels_service
from perijove_runner.model import ConnectionInfo
from perijove_runner.relay import KernelRelay
from perijove_runner.snapshot import RelayLimits, RelaySnapshot, SpoolLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_runner.rules import MessageRules

DEADLINE_S = 60.0
CONNECT = "/perijove.kernels.v1.ChannelsService/Connect"
READ_JOURNAL = "/perijove.kernels.v1.ChannelsService/ReadJournal"
_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
)


class IpyKernel:
    """An ipykernel process in a directory of its own."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="pjk"))
        self.connection = ConnectionInfo(
            transport="ipc",
            ip=str(self.directory / "k"),
            shell_port=1,
            iopub_port=2,
            stdin_port=3,
            control_port=4,
            hb_port=5,
            key=uuid.uuid4().hex,
            signature_scheme="hmac-sha256",
            kernel_name="python3",
        )
        file = self.directory / "c.json"
        fields = (name for name in ConnectionInfo.__slots__)
        file.write_text(json.dumps({name: getattr(self.connection, name) for name in fields}))
        self._command = [
            sys.executable,
            "-Xfrozen_modules=off",
            "-m",
            "ipykernel_launcher",
            "-f",
            str(file),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, in place of an earlier one."""
        self.kill()
        for socket in self.directory.glob("k-*"):
            socket.unlink()
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End the process."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """End the process and remove its directory."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Heard:
    """Counts what a relay tells."""

    def __init__(self) -> None:
        self.changes = 0

    def relay_changed(self, kernel_id: str) -> None:
        """Count."""
        del kernel_id
        self.changes += 1


@asynccontextmanager
async def relay_of(
    kernel: IpyKernel,
    limits: RelayLimits | None = None,
    *,
    epoch: int = 1,
    adopted: RelaySnapshot | None = None,
    room: SpoolRoom | None = None,
    rules: MessageRules | None = None,
) -> AsyncIterator[KernelRelay]:
    """Relay a kernel that has been started."""
    notes = RelayNotesFile(kernel.directory / "relay.notes")
    spool = (room or SpoolRoom(SpoolLimits())).spool(kernel.directory / "j")
    relay = KernelRelay("k", Heard(), notes, spool, limits or RelayLimits(), rules)
    await relay.open(kernel.connection, epoch, adopted)
    try:
        yield relay
    finally:
        await relay.leave()


@asynccontextmanager
async def served(*relays: KernelRelay, interceptors: Any = ()) -> AsyncIterator[str]:
    """Serve relays as the kernels `k0`, `k1`...; `k` is the first. Yields the address."""
    by_id = {f"k{number}": relay for number, relay in enumerate(relays)} | {"k": relays[0]}

    def lookup(kernel_id: str) -> KernelRelay:
        if kernel_id not in by_id:
            raise NotFound("no such kernel", reason="NO_SUCH_KERNEL")
        return by_id[kernel_id]

    with tempfile.TemporaryDirectory(prefix="pjs") as directory:
        server = grpc.aio.server(interceptors=interceptors, options=_OPTIONS)
        channels_service(lookup).register(server)
        server.add_insecure_port(f"unix:{directory}/s")
        await server.start()
        try:
            yield f"unix:{directory}/s"
        finally:
            await server.stop(0)


class Client:
    """One stream of a client session."""

    def __init__(self, call: Any, session_id: str) -> None:
        self.call = call
        self.session_id = session_id
        self.attached = pb.Attached()
        self.epoch = 0
        self.taken = 0
        self.others: list[pb.ConnectResponse] = []
        self._messages: list[pb.KernelMessage] = []

    async def attach(
        self,
        kernel_id: str = "k",
        resume: tuple[int, int] | None = None,
        outbox: pb.Outbox | None = None,
        *,
        skips_spooled: bool = False,
    ) -> pb.Attached:
        """Attach and wait to be let in."""
        attach = pb.Attach(
            kernel_id=kernel_id,
            client_session_id=self.session_id,
            outbox=outbox,
            skips_spooled=skips_spooled,
        )
        if resume:
            attach.resume.epoch, attach.resume.sequence = resume
        await self.call.write(pb.ConnectRequest(attach=attach))
        response = await self.call.read()
        if response is grpc.aio.EOF:
            raise EOFError
        self.attached = response.attached
        self.epoch = response.attached.epoch
        return self.attached

    async def send(
        self,
        channel: int,
        msg_type: str,
        content: dict[str, Any],
        *,
        parent: dict[str, Any] | None = None,
        buffers: tuple[bytes, ...] = (),
    ) -> str:
        """Send a message and return its id."""
        msg_id = uuid.uuid4().hex
        header = {
            "msg_id": msg_id,
            "msg_type": msg_type,
            "session": "headers-" + self.session_id,
            "username": "u",
            "date": "2026-01-01T00:00:00Z",
            "version": "5.3",
        }
        frames = [json.dumps(part).encode() for part in (header, parent or {}, {}, content)]
        message = pb.KernelMessage(channel=channel, frames=[*frames, *buffers])
        await self.call.write(pb.ConnectRequest(batch=pb.KernelMessageBatch(messages=[message])))
        return msg_id

    async def execute(self, code: str, *, allow_stdin: bool = False) -> str:
        """Ask for the execution of code and return the request's id."""
        content = {"code": code, "silent": False, "allow_stdin": allow_stdin}
        return await self.send(pb.CHANNEL_SHELL, "execute_request", content)

    async def ack(self, sequence: int) -> None:
        """Acknowledge all up to a sequence number."""
        await self.call.write(pb.ConnectRequest(ack=pb.Ack(epoch=self.epoch, sequence=sequence)))

    async def next(self) -> pb.KernelMessage:
        """Return the next message; whatever else arrives is put into `others`."""
        while not self._messages:
            response = await asyncio.wait_for(self.call.read(), DEADLINE_S)
            if response is grpc.aio.EOF:
                raise EOFError
            self.taken = response.taken or self.taken
            if response.WhichOneof("payload") in ("batch", None):
                self._messages = list(response.batch.messages)
                continue
            self.others.append(response)
            if response.HasField("epoch_begun"):
                self.epoch = response.epoch_begun.epoch
        return self._messages.pop(0)

    async def until(self, *wanted: tuple[str, str]) -> list[pb.KernelMessage]:
        """Return messages until each of (type, parent's id) has arrived."""
        missing = set(wanted)
        found = []
        while missing:
            message = await self.next()
            found.append(message)
            missing.discard((kind(message), parent_id(message)))
        return found

    async def run(self, code: str) -> list[pb.KernelMessage]:
        """Execute code; return all messages until its reply and `idle`."""
        msg_id = await self.execute(code)
        return await self.until_done(msg_id)

    async def until_done(self, msg_id: str) -> list[pb.KernelMessage]:
        """Return all messages until the reply to a request, and its `idle`."""
        found, idle, reply = [], False, False
        while not (idle and reply):
            message = await self.next()
            found.append(message)
            if parent_id(message) == msg_id:
                state = content(message).get("execution_state")
                idle = idle or (kind(message) == "status" and state == "idle")
                reply = reply or kind(message).endswith("_reply")
        return found


async def read_journal(
    channel: grpc.aio.Channel, request: pb.ReadJournalRequest, **metadata: str
) -> AsyncIterator[pb.ReadJournalResponse]:
    """Read page after page to the end, with the request as it is for the first."""
    call: Any = channel.unary_unary(
        READ_JOURNAL,
        request_serializer=pb.ReadJournalRequest.SerializeToString,
        response_deserializer=pb.ReadJournalResponse.FromString,
    )
    at_end = False
    while not at_end:
        page = await call(request, timeout=DEADLINE_S, metadata=tuple(metadata.items()))
        request.after.CopyFrom(page.next)
        at_end = page.at_end
        yield page


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Any]:
    """Yield a function that opens a `Client` for a client session id."""
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        connect = channel.stream_stream(
            CONNECT,
            request_serializer=pb.ConnectRequest.SerializeToString,
            response_deserializer=pb.ConnectResponse.FromString,
        )
        yield lambda session_id: Client(connect(), session_id)


def header(message: pb.KernelMessage) -> dict[str, Any]:
    """Return a message's header."""
    return dict(json.loads(message.frames[0]))


def kind(message: pb.KernelMessage) -> str:
    """Return a message's type."""
    return str(header(message)["msg_type"])


def parent_id(message: pb.KernelMessage) -> str:
    """Return the id of the request a message answers."""
    return str(json.loads(message.frames[1]).get("msg_id", ""))


def content(message: pb.KernelMessage) -> dict[str, Any]:
    """Return a message's content."""
    return dict(json.loads(message.frames[3]))


def text(messages: list[pb.KernelMessage]) -> str:
    """Return what the messages print."""
    return "".join(content(message)["text"] for message in messages if kind(message) == "stream")
