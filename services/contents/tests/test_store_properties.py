"""Two stores that do the same, whatever is asked of them, and nothing outside the root."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from perijove_chassis import errors
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.memory import MemoryStore
from perijove_contents.backends.threads import Threads
from perijove_contents.backends.tree import Tree
from perijove_contents.model import Checkpoint, Entry, EntryPath, EntryType, Precondition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perijove_contents.store import ContentsStore

NAMES = st.sampled_from(
    [
        *("a", "b", "d", "A", "new", "copy", "a.txt", "n.ipynb", "a-checkpoint", "a.", "a ", " "),
        *(
            "...",
            "..a",
            "\\",
            "..\\a",
            "C:",
            "*",
            "?",
            "[a]",
            "-rf",
            "~",
            "a~",
            "%2e%2e",
            "\n",
            "\x7f",
        ),
        *(
            "\u00e9",
            "e\u0301",
            "\u2025",
            "\uff0f",
            "\u202e",
            "\ufeff",
            "\U0001f600",
            "\u00e9" * 100,
        ),
        *("root", "root2", "secret"),
    ]
)
MALFORMED = st.sampled_from(["..", "a/..", "./a", "a\0", "a" * 256, "../root2/secret", "\ud800"])
FEW = st.sampled_from(["a", "b", "d", "d/a", "d/b", "d/d", "d/d/a", "a/a", ""])
PATHS = st.one_of(FEW, FEW, FEW, st.lists(NAMES, min_size=1, max_size=3).map("/".join), MALFORMED)
DATA = st.one_of(st.binary(max_size=4), st.sampled_from(["\u00e9".encode(), b"\xff", b"{}"]))
HASHES = st.sampled_from(["", "", "", hashlib.sha256(b"{}").hexdigest(), "0" * 64, "x"])
REQUIRED = HASHES.map(Precondition.of_hash) | st.sampled_from(
    [Precondition(exists=True), Precondition(exists=False)]
)
CHECKPOINTS = st.sampled_from(["checkpoint", "checkpoint", "other", "", "../a"])


class Broken(Exception):
    """What a content that breaks off raises."""


async def content(data: bytes, *, breaks: bool = False) -> AsyncIterator[bytes]:
    yield data
    if breaks:
        raise Broken


def told(value: Any) -> Any:
    """Return what two stores must agree on: all but times."""
    match value:
        case Entry():
            return (value.path, value.type, value.size_bytes, value.hash)
        case Checkpoint():
            return value.id
        case tuple() | list():
            return [told(item) for item in value]
    return value


class TwoStores(RuleBasedStateMachine):
    """Does the same to both, and compares."""

    links_leave = True

    @initialize()
    def begin(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="pjs"))
        self.root = self.top / "root"
        for name in ("root", "root2", "root2/d", "roo", "secret"):
            (self.top / name).mkdir()
        for place in ("root2/a", "root2/d/a", "roo/a", "secret/a", "a"):
            (self.top / place).write_bytes(b"CANARY")
        self.outside = [path for path in self.top.rglob("*") if path.name != "root"]
        for path in sorted(self.outside, reverse=True):
            # Whoever reads it makes its time of access move.
            os.utime(path, ns=(1_000_000_000, 2_000_000_000))
        self.before = self.seen_outside()
        self.threads = Threads(2, "test")
        self.loop = asyncio.Runner()
        tree = Tree(
            str(self.root), file_mode=0o644, directory_mode=0o755, links_leave=self.links_leave
        )
        self.stores: list[ContentsStore] = [
            FilesystemStore(tree, self.threads, self.into_trash),
            MemoryStore(),
        ]

    def into_trash(self, location: str) -> None:
        path = Path(location)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    def seen_outside(self) -> list[object]:
        found = [path.lstat() for path in self.outside]
        seen = [(s.st_ino, s.st_mode, s.st_size, s.st_atime_ns, s.st_ctime_ns) for s in found]
        return [*seen, sorted(path.name for path in self.top.iterdir())]

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()
            self.threads.close()
            shutil.rmtree(self.top)

    def both(self, call: Callable[[ContentsStore], Any], *, breaks: bool = False) -> Any:
        """Make a call of both and return what both said."""
        said = [self.loop.run(self.outcome(store, call)) for store in self.stores]
        if breaks:
            # Which of two mistakes is seen first is not promised.
            assert not any(isinstance(one, list) for one in said), said
        else:
            assert said[0] == said[1]
        return said[1]

    async def outcome(self, store: ContentsStore, call: Callable[[ContentsStore], Any]) -> Any:
        try:
            return [told(await call(store))]
        except errors.Unavailable:
            raise
        except errors.DomainError as error:
            # No place of this machine is named.
            return (type(error).__name__, error.reason, str(self.top) in str(error))
        except Broken:
            return "broken"

    @rule(path=PATHS, data=DATA, required=REQUIRED, breaks=st.sampled_from([False, False, True]))
    def write(self, path: str, data: bytes, required: Precondition, breaks: bool) -> None:  # noqa: FBT001
        self.both(
            lambda store: store.write(
                EntryPath.parse(path), content(data, breaks=breaks), required=required
            ),
            breaks=breaks,
        )

    @rule(path=PATHS, data=DATA, required=REQUIRED, breaks=st.sampled_from([False, False, True]))
    def append(self, path: str, data: bytes, required: Precondition, breaks: bool) -> None:  # noqa: FBT001
        self.both(
            lambda store: store.append(
                EntryPath.parse(path), content(data, breaks=breaks), required=required
            ),
            breaks=breaks,
        )

    @rule(path=PATHS, exists=st.sampled_from([None, True, False]))
    def make_directory(self, path: str, exists: bool | None) -> None:  # noqa: FBT001
        required = Precondition(exists=exists)
        self.both(lambda store: store.make_directory(EntryPath.parse(path), required=required))

    @rule(directory=PATHS, names=st.lists(NAMES, max_size=3), data=st.none() | DATA)
    def create(self, directory: str, names: list[str], data: bytes | None) -> None:
        self.both(lambda store: store.create_free(EntryPath.parse(directory), iter(names), data))

    @rule(
        path=PATHS,
        directory=PATHS,
        names=st.lists(NAMES, max_size=3),
        most=st.sampled_from([0, 3, 10**6]),
    )
    def copy(self, path: str, directory: str, names: list[str], most: int) -> None:
        self.both(
            lambda store: store.copy_free(
                EntryPath.parse(path), EntryPath.parse(directory), iter(names), max_bytes=most
            )
        )

    @rule(path=PATHS, new_path=PATHS, required=REQUIRED)
    def rename(self, path: str, new_path: str, required: Precondition) -> None:
        if path and new_path:
            self.both(
                lambda store: store.rename(
                    EntryPath.parse(path), EntryPath.parse(new_path), required=required
                )
            )

    @rule(path=PATHS, even_full=st.booleans(), required=REQUIRED)
    def delete(self, path: str, even_full: bool, required: Precondition) -> None:  # noqa: FBT001
        if path:
            self.both(
                lambda store: store.delete(
                    EntryPath.parse(path), even_full=even_full, required=required
                )
            )

    @rule(path=PATHS, required=REQUIRED)
    def trash(self, path: str, required: Precondition) -> None:
        if path and self.links_leave:
            self.both(lambda store: store.trash(EntryPath.parse(path), required=required))

    @rule(path=PATHS)
    def create_checkpoint(self, path: str) -> None:
        self.both(lambda store: store.create_checkpoint(EntryPath.parse(path)))

    @rule(path=PATHS, checkpoint_id=CHECKPOINTS, required=REQUIRED)
    def restore_checkpoint(self, path: str, checkpoint_id: str, required: Precondition) -> None:
        self.both(
            lambda store: store.restore_checkpoint(
                EntryPath.parse(path), checkpoint_id, required=required
            )
        )

    @rule(path=PATHS, checkpoint_id=CHECKPOINTS)
    def delete_checkpoint(self, path: str, checkpoint_id: str) -> None:
        self.both(lambda store: store.delete_checkpoint(EntryPath.parse(path), checkpoint_id))

    @rule(path=PATHS)
    def look(self, path: str) -> None:
        self.both(lambda store: store.get(EntryPath.parse(path)))
        self.both(lambda store: store.list_checkpoints(EntryPath.parse(path)))
        self.both(lambda store: read(store, EntryPath.parse(path)))

    @rule(path=PATHS, after=NAMES | st.just(""))
    def list(self, path: str, after: str) -> None:
        self.both(lambda store: listed(store, EntryPath.parse(path), after))

    @rule(path=PATHS)
    def kernel_path(self, path: str) -> None:
        async def below(store: ContentsStore) -> list[str]:
            top = (await store.kernel_path(EntryPath(()))).working_directory.rstrip("/")
            found = await store.kernel_path(EntryPath.parse(path))
            return [
                place.removeprefix(top).rstrip("/")
                for place in (found.working_directory, found.document_location)
            ]

        self.both(below)

    @invariant()
    def both_hold_the_same(self) -> None:
        if hasattr(self, "stores"):
            self.both(lambda store: everything(store, EntryPath(())))

    @invariant()
    def nothing_outside_was_touched(self) -> None:
        if hasattr(self, "stores"):
            assert self.seen_outside() == self.before


class TwoConfinedStores(TwoStores):
    """The same when links may not leave the root."""

    links_leave = False


async def read(store: ContentsStore, path: EntryPath) -> object:
    opened = await store.open(path, want_text=True, want_hash=True)
    try:
        if opened.entry.type is EntryType.DIRECTORY:
            return told(opened.entry)
        chunks = b"".join([chunk async for chunk in opened.chunks()])
        assert chunks == await opened.whole()
        return told(opened.entry), opened.is_text, chunks
    finally:
        await opened.close()


async def listed(store: ContentsStore, path: EntryPath, after: str = "") -> list[object]:
    async with contextlib.aclosing(store.list(path, after=after)) as batches:  # type: ignore[type-var]
        return [told(entry) async for batch in batches for entry in batch]


async def everything(store: ContentsStore, path: EntryPath) -> list[object]:
    found: list[object] = []
    async for batch in store.list(path):
        for entry in batch:
            if entry.type is EntryType.DIRECTORY:
                found += [told(entry), await everything(store, entry.path)]
            else:
                kept = await store.list_checkpoints(entry.path)
                found += [await read(store, entry.path), told(list(kept))]
    return found


BOUNDED = settings(max_examples=settings().max_examples // 2, stateful_step_count=25)
TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = BOUNDED
TestTwoConfinedStores = TwoConfinedStores.TestCase
TestTwoConfinedStores.settings = BOUNDED
