"""Messages of the runner's own: made, sent, and their replies awaited."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from typing import TYPE_CHECKING, Final

import msgspec
from perijove_chassis.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION: Final = "5.3"


def message(
    msg_type: str,
    content: bytes,
    session: str,
    parent_header: bytes = b"{}",
    *,
    subshell_id: str = "",
) -> tuple[str, list[bytes]]:
    """Return the id and the frames of a new message.

    Args:
        msg_type: Its type.
        content: Its content as JSON.
        session: Session named in its header.
        parent_header: Header of the message that it answers.
        subshell_id: The kernel's subshell that it is for; the main one if empty.
    """
    msg_id = uuid.uuid4().hex
    header = {
        "msg_id": msg_id,
        "msg_type": msg_type,
        "username": "perijove",
        "session": session,
        "date": dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z"),
        "version": _VERSION,
    }
    if subshell_id:
        header["subshell_id"] = subshell_id
    return msg_id, [msgspec.json.encode(header), parent_header, b"{}", content]


class OwnRequests:
    """Requests of the runner to one kernel. Their replies are shown to no client."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[bytes]] = {}

    def expect(self, msg_id: str) -> asyncio.Future[bytes]:
        """Return the content of the reply to come."""
        future = self._waiting[msg_id] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: self._waiting.pop(msg_id, None))
        return future

    def take(self, parent_id: str, frames: Sequence[bytes]) -> bool:
        """Take a reply; return whether it was one of these."""
        future = self._waiting.get(parent_id)
        if future is None:
            return False
        if not future.done():
            future.set_result(frames[3])
        return True

    def fail(self) -> None:
        """Let every wait fail: the process that was asked is gone."""
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(Unavailable("the kernel was disconnected"))
                future.exception()
