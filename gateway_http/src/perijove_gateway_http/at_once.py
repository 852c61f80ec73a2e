"""What is done at once, and not in one of the event loop's next turns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine, Generator, Sequence


def write_at_once(transport: asyncio.Transport, data: Sequence[bytes]) -> bool:
    """Write to a socket now, or as soon as it takes the rest; return whether all is written.

    Transports of uvloop else collect what is written until their loop's turn ends.
    """
    # What is encrypted must not go past the transport that encrypts it.
    if transport.get_write_buffer_size() or transport.get_extra_info("sslcontext"):
        transport.writelines(data)
        return False
    try:
        written = os.writev(transport.get_extra_info("socket").fileno(), data)
    except OSError:
        # Full, or broken: the transport knows what to do.
        written = 0
    rest = b"".join(data)[written:] if written < sum(map(len, data)) else b""
    if rest:
        transport.write(rest)
    return not rest


class Begun:
    """A coroutine that has been run to its first wait; awaited, it runs to its end."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Begin it. What it raises is raised when it is awaited."""
        self._coroutine = coroutine
        self._error: Exception | None = None
        self._waits_for: object = None
        self._has_ended = False
        try:
            self._waits_for = coroutine.send(None)
        except StopIteration:
            self._has_ended = True
        except Exception as error:  # noqa: BLE001 - it is raised to whoever awaits
            self._error = error

    def __await__(self) -> Generator[Any, None, None]:
        """Run on."""
        if self._error:
            raise self._error
        try:
            while not self._has_ended:
                try:
                    yield self._waits_for
                except BaseException as error:  # noqa: BLE001 - the coroutine decides
                    self._waits_for = self._coroutine.throw(error)
                else:
                    self._waits_for = self._coroutine.send(None)
        except StopIteration:
            self._has_ended = True
