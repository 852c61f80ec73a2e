"""Changes of a tree on a filesystem, as the system reports them."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import DomainError, Unavailable

from perijove_contents.backends.snapshot import Snapshot
from perijove_contents.visibility import USUAL
from perijove_contents.watching import EntryFeed, going_away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from perijove_contents.model import EntryPath
    from perijove_contents.visibility import Visibility
    from perijove_contents.watching import EntryChange, WatchUpdate

log = structlog.get_logger()

MAX_ENTRIES = 200_000
"""Most entries of a tree that is watched; each costs some 200 bytes."""

_LINGER_S = 60.0
"""How long changes are noted after the last watcher left: it may come back."""
_FALLBACK_POLL_S = 5.0
_AGAIN_S = 0.2
_STEP_MS = 20
_GATHER_MS = 200
_TURN_MS = 100
_BURST = 2000
"""So many changes at once may be more than the system kept: everything is looked at."""


class FilesystemWatch:
    """Watches a tree while anybody wants to know; one thread, however many do.

    The system says where something happened, and a snapshot of the tree says
    what. Each directory is watched by itself, so that what is hidden, or
    behind links, costs nothing.
    """

    def __init__(
        self,
        root: str,
        *,
        seen: Visibility = USUAL,
        poll_s: float = 0.0,
        most_entries: int = MAX_ENTRIES,
        linger_s: float = _LINGER_S,
    ) -> None:
        """Describe a watch; nothing happens before somebody watches.

        Args:
            root: The directory.
            seen: What people see of it.
            poll_s: Seconds between two looks at the whole tree, where the system
                does not report what other machines change; 0 where it does.
            most_entries: Larger trees are not watched.
            linger_s: How long changes are noted after the last watcher left.
        """
        self._root = root
        self._seen = seen
        self._poll_s = poll_s
        self._most_entries = most_entries
        self._linger_s = linger_s
        self._present: _Watching | None = None
        self._closed = False

    async def watch(self, path: EntryPath, after: str) -> AsyncIterator[WatchUpdate]:
        """Tell what changes at or below a path, to the end."""
        if self._closed:
            raise going_away()
        present = self._present
        if present is None or present.is_over:
            snapshot = Snapshot(self._root, self._most_entries, self._seen)
            present = self._present = _Watching(snapshot, self._poll_s)
        try:
            await present.ready()
            async with aclosing(present.feed.follow(path, after)) as updates:  # type: ignore[type-var]
                async for update in updates:
                    yield update
        finally:
            if present.feed.watchers == 0:
                asyncio.get_running_loop().call_later(self._linger_s, self._leave, present)

    def close(self) -> None:
        """End every watch."""
        self._closed = True
        if self._present:
            self._present.stop()

    def _leave(self, present: _Watching) -> None:
        if present.feed.watchers == 0:
            present.stop()


class _Watching:
    """One thread that looks, and the feed of what it finds."""

    def __init__(self, snapshot: Snapshot, poll_s: float) -> None:
        self.feed = EntryFeed()
        self.is_over = False
        self._snapshot = snapshot
        self._poll_s = poll_s
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    async def ready(self) -> None:
        """Return when every change from now on is noted, or none will be."""
        await self._ready.wait()

    def stop(self) -> None:
        """End the thread, and every watch."""
        self._stop.set()
        self._end(going_away())

    def _run(self) -> None:
        error: DomainError = going_away()
        try:
            self._snapshot.look()
            for changes in self._changes():
                self._tell(changes)
        except DomainError as refused:
            error = refused
        except Exception:
            log.exception("the tree cannot be watched")
            error = Unavailable("the tree cannot be watched now")
        self._call(self._end, error)

    def _changes(self) -> Iterator[list[EntryChange]]:
        while not self._stop.is_set():
            directories = self._snapshot.directories
            for locations in self._reports(directories):
                look_at = self._snapshot.look_at
                yield self._snapshot.look() if locations is None else look_at(locations)
                if not self._poll_s and self._snapshot.directories != directories:
                    # Other directories are to be watched.
                    break

    def _reports(self, directories: frozenset[str]) -> Iterator[set[str] | None]:
        """Yield where something happened; None for anywhere, which is the first of all."""
        if self._poll_s:
            yield None
            while not self._stop.wait(self._poll_s):
                yield None
            return
        try:
            yield from self._system_reports(directories)
        except FileNotFoundError:
            yield None
        except OSError as error:
            # Most often too many directories are watched already, by whomever.
            log.warning("the tree is looked at now and then instead of watched", error=str(error))
            self._poll_s = _FALLBACK_POLL_S
        except RuntimeError as error:
            # A name that is not Unicode ends the system's watch, too.
            log.debug("watching begins again", error=str(error))
            self._stop.wait(_AGAIN_S)

    def _system_reports(self, directories: frozenset[str]) -> Iterator[set[str] | None]:
        # Few processes ever watch.
        import watchfiles  # noqa: PLC0415

        reports = watchfiles.watch(
            *directories,
            watch_filter=None,
            debounce=_GATHER_MS,
            step=_STEP_MS,
            rust_timeout=_TURN_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            force_polling=False,
            recursive=False,
            ignore_permission_denied=False,
        )
        for number, report in enumerate(reports):
            if number == 0 or len(report) > _BURST:
                yield None
            elif report:
                yield {location for _, location in report}

    def _tell(self, changes: list[EntryChange]) -> None:
        self._call(self._told, changes)

    def _told(self, changes: list[EntryChange]) -> None:
        if self._ready.is_set():
            self.feed.publish(changes)
        self._ready.set()

    def _end(self, error: DomainError) -> None:
        self.is_over = True
        self.feed.end(error)
        self._ready.set()

    def _call(self, function: object, argument: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, argument)  # type: ignore[arg-type]
        except RuntimeError:
            # The process ends.
            self._stop.set()
