"""Client streams of calls that have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

T = TypeVar("T")

_READ_ON_BYTES: Final = 64 * 1024 * 1024


async def read_on(requests: AsyncIterator[T], size: Callable[[T], int]) -> None:
    """Take in what a client still sends, up to a limit: else it may not hear why it failed.

    A client of grpc.aio whose call ends while it writes loses the status.

    Args:
        requests: What it sends.
        size: Returns the bytes of content in one.
    """
    left = _READ_ON_BYTES
    async for request in requests:
        left -= size(request)
        if left < 0:
            return
