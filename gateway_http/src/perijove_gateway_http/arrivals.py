"""What a kernel says to several clients: parsed once, and framed once in each format.

The runner sends the same bytes to all that read the same. So what one client was
sent is kept for a moment, for the others that are about to be sent it.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from perijove.kernels.v1 import channels_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_gateway_http.framing import Framing

KEPT: Final = 4
"""Arrivals kept of one kernel."""
LARGEST_KEPT_BYTES: Final = 2 * 1024 * 1024
"""Larger ones are not kept: the runner sends single large messages in them."""


class Arrival:
    """A response from a runner. Nobody changes it."""

    def __init__(self, raw: bytes) -> None:
        """Parse a serialized `ConnectResponse`."""
        self.raw = raw
        self.response = pb.ConnectResponse.FromString(raw)
        self._framed: dict[type[Framing], bytes] = {}

    def framed(self, protocol: Framing) -> bytes:
        """Return the messages of its batch as WebSocket frames, one after another."""
        kind = type(protocol)
        found = self._framed.get(kind)
        if found is None:
            parts: list[bytes] = []
            for message in self.response.batch.messages:
                parts += protocol.join(message.channel, message.frames)
            found = self._framed[kind] = b"".join(parts)
        return found


class Arrivals:
    """The latest arrivals of one kernel, for all its clients here."""

    def __init__(self) -> None:
        """Begin with no client."""
        self.clients = 0
        self._latest: deque[Arrival] = deque(maxlen=KEPT)

    def take(self, raw: bytes) -> Arrival:
        """Return what has arrived; if that has been here just now, the same again."""
        if self.clients <= 1:
            self._latest.clear()
            return Arrival(raw)
        for known in self._latest:
            # Nearly all differ in the first bytes.
            if known.raw == raw:
                return known
        arrival = Arrival(raw)
        if len(raw) <= LARGEST_KEPT_BYTES:
            self._latest.append(arrival)
        return arrival


class KernelArrivals:
    """The arrivals of every kernel that has a client here."""

    def __init__(self) -> None:
        """Begin with no kernel."""
        self._by_kernel: dict[str, Arrivals] = {}

    @contextmanager
    def of(self, kernel_id: str) -> Iterator[Arrivals]:
        """Return those of a kernel, for one more client, until the end of the context."""
        arrivals = self._by_kernel.setdefault(kernel_id, Arrivals())
        arrivals.clients += 1
        try:
            yield arrivals
        finally:
            arrivals.clients -= 1
            if not arrivals.clients:
                del self._by_kernel[kernel_id]
