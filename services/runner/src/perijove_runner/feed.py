"""What the clients of one kernel get: journal, numbering, and readers that wait."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from perijove_chassis.client import MAX_MESSAGE_BYTES

from perijove_runner import encoding
from perijove_runner.gaps import BEFORE_ALL, Gaps
from perijove_runner.journal import BATCH_MESSAGES, EVERYONE, Journal, Record
from perijove_runner.places import Places
from perijove_runner.spilling import Spilling
from perijove_runner.waking import Waking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perijove_runner.snapshot import RelayLimits
    from perijove_runner.store import Spool, Stretch

MAX_ENTRY_BYTES: Final = MAX_MESSAGE_BYTES - 64 * 1024
"""Largest message that travels; in place of a larger one there is a gap."""

_LARGE_BYTES: Final = 64 * 1024
"""Output of this size is not held back."""

_RECENT: Final = 4
"""Responses kept for the next client that reads the same; each is about `BATCH_BYTES` at most."""


class Feed:
    """Takes messages once and hands the same bytes to every client."""

    def __init__(self, limits: RelayLimits, spool: Spool, waited_for: Callable[[], int]) -> None:
        """Begin with nothing said.

        Args:
            limits: How much is kept in memory.
            spool: Takes more.
            waited_for: Returns the oldest place that a client has not acknowledged.
        """
        self._journal = Journal(max_bytes=limits.journal_bytes, max_records=limits.journal_messages)
        self._places = Places()
        self._spilling = Spilling(
            self._journal,
            self._places,
            spool,
            waited_for,
            limits.journal_memory_bytes,
            limits.journal_bytes,
        )
        self.gaps: Final = Gaps(self._places)
        self._waking = Waking()
        self._recent: OrderedDict[int, tuple[bytes, int]] = OrderedDict()

    @property
    def epoch(self) -> int:
        """The kernel's present epoch; zero before its first."""
        return self._places.epoch

    @property
    def first(self) -> int:
        """The oldest place that can be read."""
        return self._spilling.next_kept(BEFORE_ALL)

    @property
    def in_memory_from(self) -> int:
        """The oldest place that can be read at once."""
        return self._journal.first_place

    @property
    def present(self) -> int:
        """The place of the next message."""
        return self._journal.next_place

    @property
    def sequence(self) -> int:
        """The number that the next message gets."""
        return self._places.sequence(self._journal.next_place)

    @property
    def begun_at(self) -> int:
        """The place at which this process has begun."""
        return self.gaps.begun_at

    def is_pressed(self) -> bool:
        """Return whether more should wait a moment, for older messages to get to disk."""
        return self._spilling.is_pressed

    def begin_epoch(self, epoch: int) -> None:
        """Begin to number anew, and tell the clients."""
        place = self._journal.next_place
        if not self.epoch:
            self._places.begin(epoch, place, 1)
            return
        self._places.begin(epoch, place, 0)
        self._append(Record(EVERYONE, encoding.epoch_begun_response(epoch), alone=True))

    async def clear(self) -> None:
        """Drop what an earlier process has left: nobody knows any more what it was."""
        await self._spilling.clear()

    async def adopt(self, epoch: int, sequence_limit: int) -> None:
        """Continue an epoch that has got to some number at most, with what is left on disk."""
        end = self._take_over(await self._spilling.take_over())
        if self._places.epoch != epoch:
            self._places.begin(epoch, max(0, end), 0)
        begin = max(end, self._places.base + sequence_limit + 1)
        self.gaps.add_unheard(end, begin)
        self._journal.begin_at(begin)
        self._spilling.begin_at(begin)

    def publish(
        self,
        channel: int,
        frames: Sequence[bytes],
        audience: str | None,
        *,
        more_follows: bool = False,
        is_output: bool = False,
    ) -> int:
        """Number a message, keep it, wake who waits, and return its place.

        Args:
            channel: A value of the `Channel` enum.
            frames: The message's frames.
            audience: Who sees it.
            more_follows: Whether to wait a little for the next one before.
            is_output: Whether to wait for the pace of deliveries; if large, it does not.
        """
        place = self._journal.next_place
        sequence = self._places.sequence(place)
        entry = encoding.entry(channel, sequence, frames)
        if len(entry) > MAX_ENTRY_BYTES:
            gap = self.gaps.too_large(self.epoch, sequence)
            self._append(Record(audience, gap, alone=True))
        else:
            record = Record(audience, entry)
            self._append(record, more_follows=more_follows, is_output=is_output)
        return place

    def sequence_at(self, place: int) -> int:
        """Return the number of a place as the present epoch counts; not above zero if older."""
        return self._places.sequence(place)

    def point(self, place: int) -> tuple[int, int]:
        """Return the epoch and sequence number after which a place comes."""
        return self._places.locate(place - 1)

    def place(self, epoch: int, sequence: int) -> int | None:
        """Return the place of a sequence number, or nothing if there is none."""
        place = self._places.place(epoch, sequence)
        return None if place is None or place >= self.present else place

    def is_older(self, epoch: int) -> bool:
        """Return whether an epoch lies before all that is known."""
        return epoch < self._places.locate(self._journal.first_place)[0]

    def attached(self, place: int, *, resumed: bool, taken: int) -> bytes:
        """Return the response that lets a client in at a place."""
        epoch, sequence = self.point(place)
        return encoding.attached_response(
            epoch=epoch, resumed=resumed, sequence=sequence, taken=taken
        )

    def read(self, place: int, client_session_id: str) -> tuple[bytes, int]:
        """Return the response a client gets next, and where it reads on.

        The response may be empty although the place has moved: past what others
        see.

        Args:
            place: Not before `first`.
            client_session_id: Who reads.
        """
        if found := self._recent.get(place):
            return found
        page = self._journal.read(place, client_session_id)
        if not page.entries:
            return b"", page.next_place
        if page.alone:
            return page.entries[0], page.next_place
        response = encoding.batch_response(page.entries), page.next_place
        # One that ends at the present would soon be too short.
        if page.shared and len(page.entries) > 1 and page.next_place < self.present:
            self._recent[place] = response
            if len(self._recent) > _RECENT:
                self._recent.popitem(last=False)
        return response

    async def read_older(self, place: int, client_session_id: str) -> tuple[bytes, int] | None:
        """Return what `read` does for a place that is not in memory; None if it is not kept."""
        page = await self._spilling.read(place, client_session_id)
        if page is None:
            return None
        if page.alone:
            return page.entries[0], page.next_place
        response = encoding.batch_response(page.entries) if page.entries else b""
        return response, page.next_place

    def next_kept(self, place: int) -> int:
        """Return the first place from a place on that can be read."""
        return self._spilling.next_kept(place)

    async def flush(self) -> None:
        """Write down what clients wait for, for the next process."""
        await self._spilling.flush()
        self._spilling.close()

    def end(self, after_s: float) -> None:
        """Hear that the kernel is gone: after some seconds nobody reads any more."""
        self._spilling.end(after_s)
        self.wake()

    async def wait(self, place: int) -> None:
        """Return when there is something at a place, or `wake` was called."""
        if place < self._journal.next_place:
            # More to look through: let others have their turn.
            await asyncio.sleep(0)
            return
        await self._waking.wait()

    def wake(self) -> None:
        """Wake all who wait."""
        self._waking.wake()

    def _append(
        self, record: Record, *, more_follows: bool = False, is_output: bool = False
    ) -> None:
        self._journal.append(record)
        self._spilling.appended()
        # A batch that is full gains nothing by waiting.
        if self._journal.next_place % BATCH_MESSAGES == 0:
            self._waking.wake()
        elif is_output and len(record.data) < _LARGE_BYTES:
            self._waking.wake_at_pace()
        elif more_follows:
            self._waking.wake_soon()
        else:
            self._waking.wake()

    def _take_over(self, stretches: Sequence[Stretch]) -> int:
        """Number what is left on disk, and return the place after it."""
        end = BEFORE_ALL
        for stretch in stretches:
            if stretch.epoch != self._places.epoch:
                self._places.begin(stretch.epoch, stretch.first, stretch.first - stretch.base)
            if end < stretch.first:
                self.gaps.add_unheard(end, stretch.first)
            end = stretch.end
        return end
