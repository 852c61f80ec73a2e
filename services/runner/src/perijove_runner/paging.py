"""Pages of a journal, for whoever reads it without a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perijove.kernels.v1 import channels_pb2 as pb

if TYPE_CHECKING:
    from perijove_runner.feed import Feed

_EMPTY_PAGES: Final = 64
"""Pages of what others see that are passed over in one call."""


async def read_page(
    feed: Feed, client_session_id: str, after: tuple[int, int], last_sequence: int
) -> pb.ReadJournalResponse:
    """Return what comes after a place; see `ReadJournal`.

    Args:
        feed: What the kernel said.
        client_session_id: Whose messages are wanted beside those for everyone.
        after: Epoch and sequence number.
        last_sequence: The last number wanted of that epoch; all if zero.
    """
    found = feed.place(*after)
    if found is None:
        place = feed.first if feed.is_older(after[0]) else feed.present
        return _page(feed.gaps.unknown(*after), feed.point(place), at_end=place == feed.present)
    place = found + 1
    response = b""
    for _ in range(_EMPTY_PAGES):
        if response or place >= feed.present:
            break
        response, place = await _next(feed, place, client_session_id)
    page = _page(response, feed.point(place), at_end=place >= feed.present)
    _cut(page, after[0], last_sequence)
    return page


async def _next(feed: Feed, place: int, client_session_id: str) -> tuple[bytes, int]:
    if place >= feed.in_memory_from:
        return feed.read(place, client_session_id)
    if found := await feed.read_older(place, client_session_id):
        return found
    kept = feed.next_kept(place)
    # One after the other: the next call gets the next.
    first, *others = feed.gaps.between(place, kept) or [b""]
    if not others:
        return first, kept
    response = pb.ConnectResponse.FromString(first)
    point = (response.gap.epoch, response.gap.last_sequence)
    if response.HasField("epoch_begun"):
        point = (response.epoch_begun.epoch, 0)
    following = feed.place(*point)
    return first, kept if following is None else following + 1


def _page(raw: bytes, point: tuple[int, int], *, at_end: bool) -> pb.ReadJournalResponse:
    page = pb.ReadJournalResponse(at_end=at_end)
    page.next.epoch, page.next.sequence = point
    response = pb.ConnectResponse.FromString(raw)
    match response.WhichOneof("payload"):
        case "batch":
            page.batch.CopyFrom(response.batch)
        case "gap":
            page.gap.CopyFrom(response.gap)
        case "epoch_begun":
            page.epoch_begun.CopyFrom(response.epoch_begun)
    return page


def _cut(page: pb.ReadJournalResponse, epoch: int, last_sequence: int) -> None:
    """Leave away what comes after the last number that is wanted."""
    if not last_sequence or (page.next.epoch, page.next.sequence) < (epoch, last_sequence):
        return
    page.at_end = True
    if page.next.epoch == epoch:
        page.next.sequence = last_sequence
        if page.HasField("gap"):
            page.gap.last_sequence = min(page.gap.last_sequence, last_sequence)
        wanted = [message for message in page.batch.messages if message.sequence <= last_sequence]
        if len(wanted) < len(page.batch.messages):
            del page.batch.messages[len(wanted) :]
