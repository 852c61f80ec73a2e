"""Asks a process whether it is ready, without waiting for it.

The launcher lives as long as everything it started. It speaks the few bytes of
HTTP/2 that a gRPC health check takes by itself, because importing gRPC for it
would keep 20 MB of memory for a question that is asked once.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Address = str | tuple[str, int]
"""Path of a unix socket, or host and port."""

_MOST_BYTES = 65536

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS = 1, 4
_FRAME_HEADER = 9
_ONE_OCTET = 127
_HANDSHAKE = b"\x16"
_EMPTY_MESSAGE = b"\0\0\0\0\0"
_SERVING = b"\0\0\0\0\2\x08\x01"


@dataclass(frozen=True, slots=True)
class Probe:
    """A question to a process, and how to read the answer."""

    address: Address
    """Where it listens."""
    request: Callable[[], bytes]
    """Makes what is sent."""
    verdict: Callable[[bytes], bool | None]
    """From all that came back: ready, not ready, or None for read on."""


class Attempt:
    """One probe under way. Never blocks."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._socket: socket.socket | None = None
        self._received = b""

    def poll(self) -> bool:
        """Take the next step; return whether the process has said it is ready."""
        try:
            if self._socket is None:
                self._socket = _connect(self._probe.address)
                self._socket.sendall(self._probe.request())
                self._socket.setblocking(False)
            chunk = self._socket.recv(_MOST_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            self.close()
            return False
        self._received += chunk
        verdict = self._probe.verdict(self._received)
        if not chunk or verdict is not None or len(self._received) > _MOST_BYTES:
            # It has answered or broken off; a next step asks anew.
            self.close()
        return verdict is True

    def close(self) -> None:
        """Forget the attempt."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""


def redis(path: str) -> Probe:
    """Return a probe of a Redis on a unix socket; one that still loads is not ready."""
    return Probe(
        path,
        lambda: b"PING\r\n",
        lambda received: received.startswith(b"+PONG") if b"\n" in received else None,
    )


def http(address: Address, path: str) -> Probe:
    """Return a probe that asks for a page that answers with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    return Probe(
        address,
        lambda: request,
        lambda received: received.split(maxsplit=2)[1:2] == [b"200"] if b"\n" in received else None,
    )


def tls(address: Address) -> Probe:
    """Return a probe that begins a handshake: one that answers it has its certificate."""
    return Probe(
        address, _hello, lambda received: received.startswith(_HANDSHAKE) if received else None
    )


def grpc_health(path: str, credential: Callable[[], str]) -> Probe:
    """Return a probe by `grpc.health.v1` on a unix socket."""
    return Probe(path, lambda: _health_request(credential()), _health_verdict)


def _connect(address: Address) -> socket.socket:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    if not isinstance(address, str) and ":" in address[0]:
        family = socket.AF_INET6
    connection = socket.socket(family, socket.SOCK_STREAM)
    with suppress(BlockingIOError):
        connection.settimeout(1)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
    return connection


def _hello() -> bytes:
    import ssl  # noqa: PLC0415 - it costs memory for which few have a use

    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(received, sent).do_handshake()
    return sent.read()


def _health_request(credential: str) -> bytes:
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Check",
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
        "authorization": credential,
    }
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in headers.items())
    return (
        _PREFACE
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, 1, block)
        + _frame(_DATA, _END_STREAM, 1, _EMPTY_MESSAGE)
    )


def _health_verdict(received: bytes) -> bool | None:
    while len(received) >= _FRAME_HEADER:
        size, kind, flags = int.from_bytes(received[:3], "big"), received[3], received[4]
        if len(received) < _FRAME_HEADER + size:
            return None
        if kind == _DATA:
            return received[_FRAME_HEADER : _FRAME_HEADER + size] == _SERVING
        if kind == _HEADERS and flags & _END_STREAM:
            return False
        received = received[_FRAME_HEADER + size :]
    return None


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


def _text(value: str) -> bytes:
    """Encode a string of HPACK without compression (RFC 7541, 5.1 and 5.2)."""
    octets = value.encode()
    if len(octets) < _ONE_OCTET:
        return bytes((len(octets),)) + octets
    size, rest = bytearray((_ONE_OCTET,)), len(octets) - _ONE_OCTET
    while rest > _ONE_OCTET:
        size.append(rest % 128 + 128)
        rest //= 128
    size.append(rest)
    return bytes(size) + octets
