"""Calls for which clients are willing to wait: `Prefer: wait=SECONDS`, RFC 7240."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

T = TypeVar("T")

CLIENT_IS_GONE: Final = 499
"""Status for the log alone."""

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?=$|[,;\s])", re.IGNORECASE)
_LOOK_S: Final = 0.5
"""How often is looked whether the client still waits."""


def preferred_wait_s(request: web.Request) -> int:
    """Return how many seconds the client would rather wait than be refused."""
    found = _WAIT.search(",".join(request.headers.getall("Prefer", ())))
    return int(found[1]) if found else 0


async def while_it_waits(request: web.Request, call: Awaitable[T]) -> T | None:
    """Return what a call returns, or None if the client goes away: then it is cancelled."""
    waiting = asyncio.ensure_future(call)
    try:
        while not waiting.done():
            await asyncio.wait((waiting,), timeout=_LOOK_S)
            if request.transport is None:
                return None
        return waiting.result()
    finally:
        waiting.cancel()
