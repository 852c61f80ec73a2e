"""HTTP as bytes: what no client library would send, and all that comes back."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

GENEROUS_S = 60.0


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back until the connection was closed."""

    data: bytes

    @property
    def status(self) -> int:
        """The status of the first answer; 0 if there was none."""
        words = self.data.split(b" ", 2)
        is_http = len(words) > 1 and words[0].startswith(b"HTTP/1.")
        return int(words[1]) if is_http else 0

    @property
    def headers(self) -> dict[str, list[str]]:
        """The values of each header, by its name in small letters."""
        found: dict[str, list[str]] = {}
        for line in self.data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            found.setdefault(name.lower(), []).append(value.strip())
        return found

    @property
    def body(self) -> bytes:
        """All that follows the headers."""
        return self.data.partition(b"\r\n\r\n")[2]


def connect(url: str) -> socket.socket:
    """Open a connection to the server at a URL."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=GENEROUS_S)


def head_of(
    url: str,
    method: bytes,
    target: bytes,
    headers: Mapping[str, str | bytes] | None = None,
    *,
    token: str | None = None,
) -> bytes:
    """Return the head of a request after which the connection is to be closed."""
    lines = [method + b" " + target + b" HTTP/1.1"]
    given: dict[str, str | bytes] = {"Host": urlsplit(url).netloc, "Connection": "close"}
    if token is not None:
        given["Authorization"] = f"token {token}"
    for name, value in {**given, **(headers or {})}.items():
        lines.append(
            name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        )
    return b"\r\n".join(lines) + b"\r\n\r\n"


def ask(
    url: str,
    method: bytes,
    target: bytes,
    body: bytes = b"",
    headers: Mapping[str, str | bytes] | None = None,
    *,
    token: str | None = None,
) -> RawAnswer:
    """Send a request as it is and read until the connection is closed."""
    length = {"Content-Length": str(len(body))} if body or method not in (b"GET", b"HEAD") else {}
    head = head_of(url, method, target, {**length, **(headers or {})}, token=token)
    with connect(url) as connection:
        # If it is refused early, the answer is there all the same.
        with contextlib.suppress(OSError):
            connection.sendall(head + body)
        return read_to_end(connection)


def read_to_end(connection: socket.socket) -> RawAnswer:
    """Read until the other side closes."""
    data = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            data += part
    return RawAnswer(bytes(data))
