"""The end of the whole server: asked of whoever started it, by a request or for want of use."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import structlog
from perijove.terminals.v1 import terminals_pb2

from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perijove_gateway_http.activity import Activity
    from perijove_gateway_http.lists import Lists
    from perijove_gateway_http.stubs import Stubs

log = structlog.get_logger()

_MOST_CHECK_S = 60.0


class Launcher:
    """Whoever started this process and all the others, and can end them."""

    def __init__(self, descriptor: int) -> None:
        """Take the way to it.

        Args:
            descriptor: Of a pipe that it reads; negative if there is nobody.
        """
        self._descriptor = descriptor

    @property
    def is_there(self) -> bool:
        """Whether anybody can be asked."""
        return self._descriptor >= 0

    def ask_to_stop(self) -> None:
        """Ask it to end everything. It does so in its order, this process first.

        Raises:
            Problem: 403 if there is nobody to ask.
        """
        if not self.is_there:
            raise Problem(403, "this server is ended by whoever runs it, and not by a request")
        os.write(self._descriptor, b"s")


async def stop_when_unused(
    launcher: Launcher, timeout_s: float, seconds_unused: Callable[[], Awaitable[float]]
) -> None:
    """Wait until nothing was used for some seconds, then ask for the end.

    Args:
        launcher: Who is asked.
        timeout_s: How long.
        seconds_unused: Says for how long nothing has been used; 0 while something is.
            It may fail: then nobody knows, and nothing is ended.
    """
    while True:
        await asyncio.sleep(min(_MOST_CHECK_S, timeout_s / 4))
        try:
            unused = await seconds_unused()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is asked again
            log.warning("it is not known whether anything is used", error=type(error).__name__)
            continue
        if unused > timeout_s:
            log.info("nothing is used; asking for the end", seconds=round(unused))
            launcher.ask_to_stop()
            return


async def seconds_unused(activity: Activity, lists: Lists, stubs: Stubs) -> float:
    """Return for how long nobody has asked for anything; 0 while a kernel or a terminal runs."""
    if (await lists.kernels()).kernels:
        return 0.0
    terminals = await stubs.terminals.ListTerminals(terminals_pb2.ListTerminalsRequest())
    return 0.0 if terminals.terminals else time.time() - activity.last
