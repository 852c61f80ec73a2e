"""Notebooks as the rules ask for them: understood beside the event loop."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, Unavailable

from perijove_contents.backends.arriving import Arriving
from perijove_contents.backends.notebook_worker import WORK, Job
from perijove_contents.backends.notebooks import MISSHAPEN, cause, write_arrived

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Hashable, Iterable, Iterator

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
        job = _writing(in_model)
        text, _ = await self._work(path, job, data)
        return _told_as_domain(path, job, text)

    async def prepare(
        self, path: EntryPath, pieces: AsyncIterable[Bytes], *, in_model: bool = False
    ) -> Callable[[], NotebookText]:
        """Do most for a text here, unless little is left to do: that is done later."""
        job = _writing(in_model)
        arriving = Arriving(LARGE_BYTES)
        async for piece in pieces:
            arriving.add(piece)

        def write() -> NotebookText:
            with _misshapen_as_domain(path, job):
                return _told_as_domain(path, job, self._written(job, arriving))

        if arriving.rest_bytes <= SMALL_BYTES:
            return functools.cache(write)
        text = await self._threads.run(write)
        return lambda: text

    async def settle(self, text: NotebookText) -> None:
        """Wait for the signature of a large notebook."""
        if text.settle:
            await self._threads.run(text.settle)

    async def trust(self, path: EntryPath, data: bytes) -> None:
        """Remember a notebook as one whose outputs may be shown."""
        kept, _ = await self._work(path, Job.TRUST, data)
        if not kept.data:
            raise Unavailable("signatures cannot be stored")

    async def _work(self, path: EntryPath, job: Job, data: bytes) -> tuple[NotebookText, object]:
        with _misshapen_as_domain(path, job):
            return await self._threads.run(self._done, job, data)

    def _done(self, job: Job, data: bytes) -> tuple[NotebookText, object]:
        # Before the notary is asked, so that what changes meanwhile is not missed.
        edition = self._notary.edition()
        if len(data) < LARGE_BYTES:
            return WORK[job](data, self._notary), edition
        return self._process.run(job, data), edition

    def _written(self, job: Job, arriving: Arriving) -> NotebookText:
        if arriving.size < LARGE_BYTES:
            in_model = job is Job.WRITE_FROM_MODEL
            return write_arrived(arriving, self._notary, in_model=in_model)
        # Here they are never one: to join as much takes longer than others should wait.
        return self._process.run(job, *arriving.pieces)


def _writing(in_model: bool) -> Job:  # noqa: FBT001
    return Job.WRITE_FROM_MODEL if in_model else Job.WRITE


@dataclass(frozen=True, slots=True)
class _ToldAsDomain:
    """Parts of a notebook of which one may turn out to be none."""

    path: EntryPath
    job: Job
    parts: Iterable[Bytes]

    def __iter__(self) -> Iterator[Bytes]:
        with _misshapen_as_domain(self.path, self.job):
            yield from self.parts


def _told_as_domain(path: EntryPath, job: Job, text: NotebookText) -> NotebookText:
    return replace(text, parts=_ToldAsDomain(path, job, text.parts))


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
