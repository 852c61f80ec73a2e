"""Kernel messages in both framings of the WebSocket."""

import dataclasses
import itertools
import json
import struct
import uuid
from collections.abc import Callable

V1 = "v1.kernel.websocket.jupyter.org"


@dataclasses.dataclass(frozen=True, slots=True)
class Framing:
    """How a message lies in a frame."""

    subprotocol: str
    opcode: int
    pack: Callable[[dict[str, str], dict[str, object]], bytes]
    """Takes header and content of a shell request."""


def execute(code: str) -> tuple[dict[str, str], dict[str, object]]:
    """Return header and content of a request to run code."""
    return _request("execute_request"), {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }


def kernel_info() -> tuple[dict[str, str], dict[str, object]]:
    """Return header and content of the request that any kernel answers."""
    return _request("kernel_info_request"), {}


def ends_request(payload: bytes, message_id: str) -> int:
    """Return 1 for the reply to a request, 2 for the kernel's idle after it, else 0."""
    if message_id.encode() not in payload:
        return 0
    if b"_reply" in payload:
        return 1
    return 2 if b'"idle"' in payload else 0


def _request(kind: str) -> dict[str, str]:
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "bench",
        "session": uuid.uuid4().hex,
        "date": "2026-01-01T00:00:00.000000Z",
        "version": "5.3",
    }


def _pack_v1(header: dict[str, str], content: dict[str, object]) -> bytes:
    parts = [b"shell", json.dumps(header).encode(), b"{}", b"{}", json.dumps(content).encode()]
    sizes = itertools.accumulate(map(len, parts), initial=8 * (len(parts) + 2))
    offsets = list(sizes)
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


def _pack_legacy(header: dict[str, str], content: dict[str, object]) -> bytes:
    message = {
        "channel": "shell",
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }
    return json.dumps(message).encode()


FRAMING_V1 = Framing(V1, 2, _pack_v1)
FRAMING_LEGACY = Framing("", 1, _pack_legacy)
