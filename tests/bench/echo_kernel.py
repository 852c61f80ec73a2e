"""A kernel that does next to nothing, so that it is not what a measurement measures.

It answers `kernel_info`, and `execute` with the code `flood 10000` publishes that
many small stream messages, as fast as one thread can sign and send them; with
`large 200` each has 1 MB, and `print 200` publishes 200 MB in messages of 100 kB.
Nothing is dropped: its queue to a slow subscriber is unbounded.
"""

import hashlib
import hmac
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import zmq

ITEM = "bench-item"
"""Occurs once in each message of a flood, and in no other."""

LARGE_A_MB = 10
"""Large messages that make up a megabyte."""

_DELIMITER = b"<IDS|MSG>"
_COMMANDS = {"flood": (1, 64), "large": (1, 1_000_000), "print": (LARGE_A_MB, 100_000)}
"""How many messages of how many bytes each of them asks for."""

_CONTENTS = {
    size: json.dumps({"name": "stdout", "text": f"{ITEM} {'.' * size}\n"}).encode()
    for _, size in _COMMANDS.values()
}


class EchoKernel:
    """The sockets of one kernel."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self._connection = connection
        self._context = zmq.Context()
        self._hmac = hmac.new(connection["key"].encode(), digestmod=hashlib.sha256)
        self._session = uuid.uuid4().hex
        self._count = 0
        self._shell = self._bind(zmq.ROUTER, "shell")
        self._control = self._bind(zmq.ROUTER, "control")
        self._stdin = self._bind(zmq.ROUTER, "stdin")
        self._heartbeat = self._bind(zmq.REP, "hb")
        self._iopub = self._bind(zmq.PUB, "iopub")

    def run(self) -> None:
        """Answer until a shutdown is asked for."""
        poller = zmq.Poller()
        for socket in (self._shell, self._control, self._heartbeat):
            poller.register(socket, zmq.POLLIN)
        running = True
        while running:
            for socket, _ in poller.poll():
                if socket is self._heartbeat:
                    socket.send(socket.recv())
                else:
                    running = self._answer(socket) and running

    def _bind(self, kind: int, name: str) -> zmq.Socket:
        socket = self._context.socket(kind)
        socket.set(zmq.SNDHWM, 0)
        socket.set(zmq.LINGER, 1000)
        host, port = self._connection["ip"], self._connection[f"{name}_port"]
        separator = "-" if self._connection["transport"] == "ipc" else ":"
        socket.bind(f"{self._connection['transport']}://{host}{separator}{port}")
        return socket

    def _answer(self, socket: zmq.Socket) -> bool:
        """Answer one request; returns whether to go on."""
        frames = socket.recv_multipart()
        split = frames.index(_DELIMITER)
        parent = frames[split + 2]
        kind = json.loads(parent)["msg_type"]
        self._publish("status", parent, b'{"execution_state": "busy"}')
        reply = {"status": "ok"}
        if kind == "kernel_info_request":
            reply |= _INFO
        if kind == "execute_request":
            reply |= {"execution_count": 1, "user_expressions": {}, "payload": []}
            self._execute(json.loads(frames[split + 5])["code"], parent)
        name = kind.replace("_request", "_reply")
        socket.send_multipart(
            [*frames[:split], *self._message(name, parent, json.dumps(reply).encode())]
        )
        self._publish("status", parent, b'{"execution_state": "idle"}')
        return kind != "shutdown_request"

    def _execute(self, code: str, parent: bytes) -> None:
        command, _, number = code.partition(" ")
        if command in _COMMANDS:
            times, size = _COMMANDS[command]
            for _ in range(int(number) * times):
                self._publish("stream", parent, _CONTENTS[size])

    def _publish(self, kind: str, parent: bytes, content: bytes) -> None:
        self._iopub.send_multipart([kind.encode(), *self._message(kind, parent, content)])

    def _message(self, kind: str, parent: bytes, content: bytes) -> list[bytes]:
        self._count += 1
        header = (
            f'{{"msg_id": "{self._session}_{self._count}", "msg_type": "{kind}", '
            f'"username": "echo", "session": "{self._session}", '
            f'"date": "2026-01-01T00:00:00.000000Z", "version": "5.3"}}'
        ).encode()
        signature = self._hmac.copy()
        for part in (header, parent, b"{}", content):
            signature.update(part)
        return [_DELIMITER, signature.hexdigest().encode(), header, parent, b"{}", content]


_INFO: dict[str, Any] = {
    "protocol_version": "5.3",
    "implementation": "echo",
    "implementation_version": "1",
    "language_info": {"name": "echo", "version": "1", "mimetype": "", "file_extension": ".txt"},
    "banner": "",
    "help_links": [],
}


if __name__ == "__main__":
    EchoKernel(json.loads(Path(sys.argv[1]).read_text())).run()
