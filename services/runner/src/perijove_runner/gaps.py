"""What clients are told of messages that they do not get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perijove_runner import encoding

if TYPE_CHECKING:
    from perijove_runner.places import Places

BEFORE_ALL: Final = -(1 << 61)
"""A place before every message of the first epoch that is known."""

_TOO_LARGE: Final = (
    "JOURNAL_LIMIT",
    "The kernel said something larger than can be sent to a client.",
)
_RESTARTED: Final = (
    "RUNNER_RESTARTED",
    "What the kernel said while its runner was restarted is lost.",
)
_LIMIT: Final = (
    "JOURNAL_LIMIT",
    "The kernel said more than is kept for a client that is slow or away.",
)
_UNKNOWN: Final = (
    "UNKNOWN_RESUME_POINT",
    "It is not known what the kernel said since then.",
)
_SPOOLED: Final = (
    "SPOOLED",
    "The client is far behind. What it has missed can still be read from the journal.",
)


class Gaps:
    """Says in serialized responses what is missing, and why."""

    def __init__(self, places: Places) -> None:
        """Begin with nothing missing.

        Args:
            places: Says which epoch a place is of.
        """
        self._places = places
        # Runs of places of which earlier processes left nothing.
        self._unheard: list[tuple[int, int]] = []

    @property
    def begun_at(self) -> int:
        """The place at which this process has begun."""
        return self._unheard[-1][1] if self._unheard else 0

    def add_unheard(self, start: int, end: int) -> None:
        """Note places, after all noted before, of which earlier processes left nothing."""
        self._unheard.append((start, end))

    def between(self, start: int, end: int) -> list[bytes]:
        """Return what stands for all from a place to before another."""
        responses = []
        for first, after in self._unheard:
            responses += self._cover(start, min(end, first), _LIMIT)
            responses += self._cover(max(start, first), min(end, after), _RESTARTED)
            start = max(start, after)
        return responses + self._cover(start, end, _LIMIT)

    def spooled(self, start: int, end: int) -> list[bytes]:
        """Return what stands for all from a place to before another, for who can do without."""
        return self._cover(start, end, _SPOOLED)

    def unknown(self, epoch: int, sequence: int) -> bytes:
        """Return the gap after a resume point that cannot be placed."""
        return self._gap(epoch, sequence + 1, 0, _UNKNOWN)

    def restarted(self) -> bytes:
        """Return the gap before the adoption of the kernel, of unknown beginning."""
        epoch, last = self._places.locate(self.begun_at - 1)
        return self._gap(epoch, 0, last, _RESTARTED)

    def too_large(self, epoch: int, sequence: int) -> bytes:
        """Return the gap in place of one message."""
        return self._gap(epoch, sequence, sequence, _TOO_LARGE)

    def _cover(self, start: int, end: int, cause: tuple[str, str]) -> list[bytes]:
        responses = []
        for missing in self._places.missing(start, end):
            if missing.begins:
                responses.append(encoding.epoch_begun_response(missing.epoch))
            first = max(1, missing.first)
            if first <= missing.last:
                responses.append(self._gap(missing.epoch, first, missing.last, cause))
        return responses

    def _gap(self, epoch: int, first: int, last: int, cause: tuple[str, str]) -> bytes:
        return encoding.gap_response(
            epoch=epoch, first=first, last=last, cause=cause[0], message=cause[1]
        )
