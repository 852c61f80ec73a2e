"""Notebooks as the rules ask for them: understood beside the event loop."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, Unavailable

from perijove_contents.backends.notebook_worker import WORK, Job
from perijove_contents.backends.notebooks import MISSHAPEN, cause

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from perijove_contents.backends.notary import Notary
    from perijove_contents.backends.notebook_process import NotebookProcess
    from perijove_contents.backends.recent import RecentNotebooks
    from perijove_contents.backends.threads import Threads
    from perijove_contents.model import Bytes, EntryPath, NotebookText

SMALL_BYTES = 64 * 1024
"""Notebooks up to this size are read, checked and formatted within a millisecond or two."""

LARGE_BYTES = 8 * 1024 * 1024
"""Notebooks of this size and above go to a process of their own. To send one there
and back takes a few milliseconds for each of these megabytes."""


class NbformatCodec:
    """Reads and writes notebooks as nbformat does: in few threads, large ones in a process."""

    def __init__(
        self,
        threads: Threads,
        notary: Notary,
        process: NotebookProcess,
        recent: RecentNotebooks,
    ) -> None:
        self._threads = threads
        self._notary = notary
        self._process = process
        self._recent = recent

    async def recall(self, version: Hashable) -> NotebookText | None:
        """Return what was last made of a version of a file, unless trust has changed since."""
        if version is None:
            return None
        return self._recent.get(version, await self._threads.run(self._notary.edition))

    async def read(self, path: EntryPath, data: bytes, version: Hashable = None) -> NotebookText:
        """Turn stored bytes into the JSON text of a notebook."""
        text, edition = await self._work(path, Job.READ, data)
        if version is not None:
            self._recent.put(version, edition, text)
        return text

    async def write(self, path: EntryPath, data: bytes, *, in_model: bool = False) -> NotebookText:
        """Turn the JSON text of a notebook into the bytes to store."""
        text, _ = await self._work(path, _writing(in_model), data)
        return text

    async def prepare(
        self, path: EntryPath, pieces: Sequence[Bytes], *, in_model: bool = False
    ) -> Callable[[], NotebookText]:
        """Turn a text of some size into bytes here, a small one later: that takes no time."""
        job = _writing(in_model)
        if sum(map(len, pieces)) > SMALL_BYTES:
            text, _ = await self._work(path, job, *pieces)
            return lambda: text

        def write() -> NotebookText:
            with _misshapen_as_domain(path, job):
                return WORK[job](b"".join(pieces), self._notary)

        return functools.cache(write)

    async def settle(self, text: NotebookText) -> None:
        """Wait for the signature of a large notebook."""
        if text.settle:
            await self._threads.run(text.settle)

    async def trust(self, path: EntryPath, data: bytes) -> None:
        """Remember a notebook as one whose outputs may be shown."""
        kept, _ = await self._work(path, Job.TRUST, data)
        if not kept.data:
            raise Unavailable("signatures cannot be stored")

    async def _work(self, path: EntryPath, job: Job, *pieces: Bytes) -> tuple[NotebookText, object]:
        with _misshapen_as_domain(path, job):
            return await self._threads.run(self._done, job, *pieces)

    def _done(self, job: Job, *pieces: Bytes) -> tuple[NotebookText, object]:
        # Before the notary is asked, so that what changes meanwhile is not missed.
        edition = self._notary.edition()
        if sum(map(len, pieces)) < LARGE_BYTES:
            return WORK[job](b"".join(pieces), self._notary), edition
        # Here they are never one: to join as much takes longer than others should wait.
        return self._process.run(job, *pieces), edition


def _writing(in_model: bool) -> Job:  # noqa: FBT001
    return Job.WRITE_FROM_MODEL if in_model else Job.WRITE


@contextmanager
def _misshapen_as_domain(path: EntryPath, job: Job) -> Iterator[None]:
    try:
        yield
    except MISSHAPEN as error:
        if job in (Job.WRITE, Job.WRITE_FROM_MODEL):
            raise InvalidArgument(
                f"the content for {path} is not a notebook: {cause(error)}", reason="BAD_FORMAT"
            ) from error
        raise InvalidArgument(
            f"Unreadable Notebook: {path} {cause(error)}", reason="UNREADABLE_NOTEBOOK"
        ) from error
