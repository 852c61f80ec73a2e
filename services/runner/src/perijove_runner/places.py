"""Places in the journal, and the epochs and sequence numbers that clients know them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from perijove_runner.store import Stretch

_SPANS: Final = 64
_EVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class _Span:
    """The places of one epoch: its record at `place` has the number `place - base`."""

    epoch: int
    start: int
    base: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A run of numbers of one epoch."""

    epoch: int
    first: int
    last: int
    begins: bool
    """Whether the announcement of the epoch is missing, too."""


class Places:
    """Translates both ways. Remembers a bounded number of epochs."""

    def __init__(self) -> None:
        self._spans: list[_Span] = []

    @property
    def epoch(self) -> int:
        """The present epoch; zero before the first."""
        return self._spans[-1].epoch if self._spans else 0

    @property
    def base(self) -> int:
        """What the place of a record is above its number in the present epoch."""
        return self._spans[-1].base

    def begin(self, epoch: int, place: int, sequence: int) -> None:
        """Begin an epoch: the record at `place` has the number `sequence`.

        The first epoch has begun before the journal: numbers below `sequence`
        are places that the journal never had.
        """
        start = place if self._spans else _EVER
        self._spans.append(_Span(epoch, start, place - sequence))
        del self._spans[:-_SPANS]

    def sequence(self, place: int) -> int:
        """Return the sequence number of a place in the present epoch."""
        return place - self._spans[-1].base

    def locate(self, place: int) -> tuple[int, int]:
        """Return epoch and sequence number of a place."""
        span = next((span for span in reversed(self._spans) if span.start <= place), self._spans[0])
        return span.epoch, max(0, place - span.base)

    def place(self, epoch: int, sequence: int) -> int | None:
        """Return the place of a sequence number, or nothing if the epoch is not known."""
        for span, following in zip(self._spans, [*self._spans[1:], None], strict=True):
            if span.epoch == epoch:
                place = span.base + sequence
                return min(place, following.start - 1) if following else place
        return None

    def stretch(self, start: int, end: int) -> Stretch:
        """Return the places from `start` to before `end`, as far as they are of one epoch."""
        for number in range(len(self._spans) - 1, 0, -1):
            if self._spans[number].start <= start:
                break
            end = min(end, self._spans[number].start)
        else:
            number = 0
        return Stretch(start, end, self._spans[number].epoch, self._spans[number].base)

    def missing(self, start: int, end: int) -> list[Missing]:
        """Return what lies from place `start` to before `end`, epoch by epoch."""
        found = []
        for span, following in zip(self._spans, [*self._spans[1:], None], strict=True):
            low = max(start, span.start)
            high = min(end, following.start) if following else end
            if low < high:
                first = low - span.base
                found.append(
                    Missing(span.epoch, first, high - 1 - span.base, begins=low == span.start)
                )
        return found
