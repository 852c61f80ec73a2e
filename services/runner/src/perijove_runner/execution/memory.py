"""Which runs of a kernel are remembered, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog
from perijove_chassis.errors import DomainError, ResourceExhausted

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_runner.execution.model import RunRecord
    from perijove_runner.execution.run import Run
    from perijove_runner.execution.store import RunNotes

log = structlog.get_logger()

MOST_UNDER_WAY: Final = 128
MOST_ENDED: Final = 1000
KEPT_S: Final = 3600.0


class Memory:
    """The runs of one kernel by their request ids, oldest first, and notes of them."""

    def __init__(
        self, notes: RunNotes, client_id: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._notes = notes
        self._client_id = client_id
        self._clock = clock
        self._runs: dict[str, Run] = {}
        self._by_msg_id: dict[str, Run] = {}
        self._begun = False

    def find(self, request_id: str) -> Run | None:
        """Return a run, if it is remembered."""
        return self._runs.get(request_id)

    def under_way(self, msg_id: str) -> Run | None:
        """Return the run that a request of the kernel belongs to, if it has not ended."""
        return self._by_msg_id.get(msg_id)

    @property
    def all_under_way(self) -> tuple[Run, ...]:
        """Those that have not ended."""
        return tuple(self._by_msg_id.values())

    def restore(self, run: Run) -> None:
        """Remember a run that is noted already."""
        self._runs[run.record.request_id] = run
        if not run.has_ended:
            self._by_msg_id[run.record.msg_id] = run

    def add(self, run: Run) -> None:
        """Remember a new run, and note it.

        Raises:
            ResourceExhausted: if too many are under way, or it cannot be written.
        """
        if len(self._by_msg_id) >= MOST_UNDER_WAY:
            raise ResourceExhausted(
                f"a kernel takes {MOST_UNDER_WAY} runs at a time", reason="LIMIT_EXCEEDED"
            )
        self._forget()
        self.restore(run)
        try:
            self._note(run.record)
        except DomainError:
            self._drop(run)
            raise

    def refuse(self, run: Run, record: RunRecord) -> None:
        """Forget a run that was not sent after all."""
        self._drop(run)
        self._keep(record)

    def changed(self, run: Run) -> bool:
        """Note what has changed of a run; return whether that was possible.

        What cannot be noted costs the next runner, not this one.
        """
        if run.has_ended:
            self._by_msg_id.pop(run.record.msg_id, None)
        return self._keep(run.record)

    def _keep(self, record: RunRecord) -> bool:
        try:
            self._note(record)
        except DomainError as error:
            log.warning("run not noted", run_id=record.request_id, why=str(error))
            return False
        return True

    def _note(self, record: RunRecord) -> None:
        if self._begun and self._notes.add(record):
            return
        self._begun = False
        self._notes.begin(self._client_id, [run.record for run in self._runs.values()])
        self._begun = True

    def _forget(self) -> None:
        oldest = self._clock() - KEPT_S
        ended = [run for run in self._runs.values() if run.has_ended]
        for number, run in enumerate(ended, start=1):
            if len(ended) - number >= MOST_ENDED - 1 or run.end.finish_time < oldest:
                self._drop(run)

    def _drop(self, run: Run) -> None:
        self._runs.pop(run.record.request_id, None)
        self._by_msg_id.pop(run.record.msg_id, None)
