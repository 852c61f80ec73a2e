"""The workers: few, started when they are needed, ended when they are not."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, Self

import structlog
from perijove_chassis.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    ResourceExhausted,
    Unavailable,
)

from perijove_contents.conversion.backends.messages import Cause, Convert, Failed
from perijove_contents.conversion.backends.process import Worker, WorkerDied
from perijove_contents.conversion.backends.scratch import sweep
from perijove_contents.conversion.backends.spool import Spool, SpooledOutput
from perijove_contents.conversion.model import Exporter, Output

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterator, Sequence

    from perijove_contents.backends.threads import Threads
    from perijove_contents.conversion.backends.messages import Converted
    from perijove_contents.conversion.model import Task
    from perijove_contents.model import Bytes

log = structlog.get_logger()

_START_S = 90.0
"""How long a worker may take to import what it needs, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What conversions may take."""

    workers: int = 1
    """Most conversions at the same time."""
    waiting: int = 16
    """Most that wait for their turn; more are refused."""
    timeout_s: float = 60.0
    """Longest time for one, and for its notebook to arrive."""
    max_memory_bytes: int = 2 * 1024**3
    """Most memory of one worker."""
    max_output_bytes: int = 256 * 1024**2
    """Largest output."""
    idle_s: float = 120.0
    """How long a worker is kept that has nothing to do."""
    conversions: int = 100
    """How many conversions a worker is used for: what leaks, goes with it."""


class WorkerPool:
    """Converts notebooks in a few processes. No worker outlives the block around it."""

    def __init__(self, threads: Threads, config_dir: str, limits: Limits) -> None:
        """Make a pool; it starts no worker yet.

        Args:
            threads: Where files are written and read.
            config_dir: Jupyter's configuration, whose style sheet templates may include.
            limits: What conversions may take.
        """
        self._threads = threads
        self._config_dir = config_dir
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.workers)
        self._admitted = 0
        self._idle: dict[Worker, asyncio.TimerHandle] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._exporters: tuple[Exporter, ...] = ()

    async def __aenter__(self) -> Self:
        await self._threads.run(sweep)
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in list(self._idle):
            self._expire(worker)
        await asyncio.gather(*self._endings)

    async def exporters(self) -> Sequence[Exporter]:
        """Return the exporters that are installed; asks a worker the first time."""
        if not self._exporters:
            with self._admission():
                async with self._turns:
                    if not self._exporters:
                        self._release(await self._take())
        return self._exporters

    async def convert(self, task: Task, notebook: AsyncIterable[Bytes]) -> SpooledOutput:
        """Convert the JSON text of a notebook."""
        with self._admission():
            async with Spool(self._threads) as source:
                await self._arrival(source, notebook)
                made = Spool(self._threads)
                try:
                    await made.open()
                    async with self._turns:
                        answer = await self._run(task, source, made)
                    return SpooledOutput(made, self._output(task, answer, made.size()))
                except BaseException:
                    made.close()
                    raise

    @contextmanager
    def _admission(self) -> Iterator[None]:
        if self._admitted >= self._limits.workers + self._limits.waiting:
            raise ResourceExhausted("too many conversions wait already")
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def _arrival(self, source: Spool, notebook: AsyncIterable[Bytes]) -> None:
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                await source.fill(notebook)
        except TimeoutError:
            raise DeadlineExceeded(
                "the notebook did not arrive in time", reason="CONVERSION_TOO_SLOW"
            ) from None

    async def _run(self, task: Task, source: Spool, made: Spool) -> Converted | Failed:
        worker = await self._take()
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                answer = await worker.convert(_job(task), source.fd, made.fd)
        except BaseException as error:
            # It may be anywhere in its work, and cannot be called back.
            self._discard(worker)
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded(
                    f"the conversion took more than {self._limits.timeout_s:g} s",
                    reason="CONVERSION_TOO_SLOW",
                ) from None
            if isinstance(error, WorkerDied):
                raise FailedPrecondition(
                    "the conversion broke off", reason="CONVERSION_FAILED"
                ) from None
            raise
        if isinstance(answer, Failed) and answer.cause is Cause.TOO_MUCH_MEMORY:
            self._discard(worker)
        else:
            self._release(worker)
        return answer

    async def _take(self) -> Worker:
        while self._idle:
            worker, timer = self._idle.popitem()
            timer.cancel()
            if worker.is_alive():
                return worker
            self._discard(worker)
        limits = self._limits
        worker = Worker(
            self._threads,
            config_dir=self._config_dir,
            max_memory_bytes=limits.max_memory_bytes,
            max_output_bytes=limits.max_output_bytes,
        )
        try:
            async with asyncio.timeout(_START_S):
                await worker.start()
        except BaseException as error:
            self._discard(worker)
            # `TimeoutError` is an `OSError` too.
            if isinstance(error, OSError | WorkerDied):
                log.error("a worker does not start")  # noqa: TRY400 - its end says all there is
                raise Unavailable("conversions cannot be made now") from None
            raise
        self._exporters = tuple(Exporter(found.name, found.mime_type) for found in worker.exporters)
        return worker

    def _release(self, worker: Worker) -> None:
        if worker.conversions >= self._limits.conversions:
            self._discard(worker)
            return
        loop = asyncio.get_running_loop()
        self._idle[worker] = loop.call_later(self._limits.idle_s, self._expire, worker)

    def _expire(self, worker: Worker) -> None:
        self._idle.pop(worker).cancel()
        self._discard(worker)

    def _discard(self, worker: Worker) -> None:
        worker.kill()
        ending = asyncio.ensure_future(worker.end())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    def _output(self, task: Task, answer: Converted | Failed, size: int) -> Output:
        if isinstance(answer, Failed):
            self._refuse(answer)
        if size > self._limits.max_output_bytes:
            self._refuse(Failed(Cause.TOO_LARGE, ""))
        return Output.of(
            task.stem,
            mime_type=answer.mime_type,
            extension=answer.extension,
            is_archive=answer.is_archive,
            size_bytes=size,
        )

    def _refuse(self, failed: Failed) -> NoReturn:
        limits = self._limits
        match failed.cause:
            case Cause.UNREADABLE:
                raise InvalidArgument(
                    f"not a readable notebook: {failed.message}", reason="UNREADABLE_NOTEBOOK"
                )
            case Cause.TOO_LARGE:
                raise ResourceExhausted(
                    f"the output is larger than {limits.max_output_bytes} bytes",
                    reason="LIMIT_EXCEEDED",
                )
            case Cause.TOO_MUCH_MEMORY:
                raise ResourceExhausted(
                    f"the conversion needs more than {limits.max_memory_bytes} bytes of memory",
                    reason="LIMIT_EXCEEDED",
                )
            case Cause.NO_ROOM:
                raise ResourceExhausted("no room is left for the conversion", reason="STORAGE_FULL")
            case Cause.FAILED:
                raise FailedPrecondition(failed.message, reason="CONVERSION_FAILED")


def _job(task: Task) -> Convert:
    date = ""
    if task.update_time_ns is not None:
        # As nbconvert writes it: the day without a zero in front.
        date = f"{datetime.fromtimestamp(task.update_time_ns / 1e9, UTC):%B %-d, %Y}"
    return Convert(task.exporter, task.stem, date, task.sanitize_html)
