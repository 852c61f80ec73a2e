"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from perijove_contents.backends.durable import EARLY_BYTES, start_writing, sync_directory, write_all
from perijove_contents.backends.locks import locked
from perijove_contents.backends.renaming import rename_into_free, rename_over
from perijove_contents.backends.unfinished import create_file
from perijove_contents.model import ANY_VERSION, HASH_ALGORITHM, Precondition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from perijove_contents.backends.places import Place
    from perijove_contents.model import Bytes


class AtomicFile:
    """Writes a file beside its target and then puts it in the target's place.

    Not for several threads at once. Every method but the constructor blocks.
    """

    digest = ""
    """Of all that was written, once the file is in place; empty if it is not wanted."""

    def __init__(
        self,
        find: Callable[[], Place],
        new_mode: int,
        *,
        want_hash: bool = False,
        let_go: Callable[[int], object] = os.close,
    ) -> None:
        """Prepare to replace or create a file; nothing happens yet.

        Args:
            find: Returns where the file shall be; it is called when that is needed.
            new_mode: Permission bits, if no file was there before.
            want_hash: Whether to hash what is written.
            let_go: Closes a large file that was replaced, at any time: what it took
                on the disk is freed then, which takes as long as to write it.
        """
        self._find = find
        self._let_go = let_go
        self._target: Place | None = None
        self._mode = new_mode
        self._before: os.stat_result | None = None
        self._temporary: Place | None = None
        self._fd = -1
        self._hashing = hashlib.new(HASH_ALGORITHM) if want_hash else None

    def write(self, data: Bytes) -> None:
        """Add bytes.

        Raises:
            OSError: also if the target may not be written.
        """
        self.write_row((data,))

    def write_row(self, row: Iterable[Bytes]) -> None:
        """Add bytes as they come.

        Raises:
            OSError: also if the target may not be written.
        """
        self._begin()
        pieces: list[Bytes] = []
        size = 0
        for piece in _pieces(row):
            pieces.append(piece)
            size += len(piece)
            if self._hashing:
                self._hashing.update(piece)
            if size >= EARLY_BYTES:
                # The disk takes what is there while the rest is made.
                write_all(self._fd, *pieces)
                start_writing(self._fd, size)
                pieces, size = [], 0
        write_all(self._fd, *pieces)
        start_writing(self._fd, size)

    def set_times_and_mode(self, like: os.stat_result) -> None:
        """Give the file the times and the permission bits of another one."""
        self._begin()
        self._mode = stat.S_IMODE(like.st_mode)
        self._before = None
        os.utime(self._fd, ns=(like.st_atime_ns, like.st_mtime_ns))

    def replace(self, required: Precondition = ANY_VERSION) -> tuple[os.stat_result, bool]:
        """Put the file in the target's place.

        Returns:
            The file's status, and whether no file was there before.

        Raises:
            Aborted: if what is there is not what is required.
        """
        target, unfinished = self._begin()
        self._settle(target)
        held = self._hold(target)
        try:
            with locked(target):
                created = not target.exists()
                require_version(target, required)
                if required.exists is False:
                    rename_into_free(unfinished, target, is_locked=True)
                else:
                    rename_over(unfinished, target)
            return self._placed(), created
        finally:
            if held is not None:
                self._let_go(held)

    def replace_locked(self) -> os.stat_result:
        """Put the file in the target's place, in a directory that is locked already."""
        target, unfinished = self._begin()
        self._settle(target)
        rename_over(unfinished, target)
        return self._placed()

    def place(self, name: str) -> os.stat_result:
        """Put the file beside the target under another name, if that is free.

        Raises:
            FileExistsError: if it is not; another one may be tried.
        """
        target, unfinished = self._begin()
        self._settle(target)
        rename_into_free(unfinished, target.beside(name))
        return self._placed()

    def close(self) -> None:
        """Remove what was not put in place."""
        unfinished, target = self._temporary, self._target
        if unfinished:
            with suppress(OSError):
                os.unlink(unfinished.name, dir_fd=unfinished.directory)
            self._temporary = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if target:
            target.close()
            self._target = None

    def _begin(self) -> tuple[Place, Place]:
        if self._target and self._temporary:
            return self._target, self._temporary
        self._target = target = self._find()
        with suppress(FileNotFoundError):
            self._before = require_writable(target)
        self._temporary, self._fd = create_file(target)
        return target, self._temporary

    def _hold(self, target: Place) -> int | None:
        """Keep a large file that is about to be replaced from being freed by that."""
        if self._before is None or self._before.st_size < EARLY_BYTES:
            return None
        try:
            return target.open(os.O_PATH)
        except OSError:
            return None

    def _settle(self, target: Place) -> None:
        before = self._before
        if before:
            _copy_attributes(target, self._fd)
        if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.fchown(self._fd, before.st_uid, before.st_gid)
        os.fchmod(self._fd, stat.S_IMODE(before.st_mode) if before else self._mode)
        os.fsync(self._fd)

    def _placed(self) -> os.stat_result:
        self._temporary = None
        status = os.fstat(self._fd)
        if self._hashing:
            self.digest = self._hashing.hexdigest()
        if self._target:
            sync_directory(self._target)
        self.close()
        return status


def require_file(status: os.stat_result) -> os.stat_result:
    """Return the status of a file.

    Raises:
        OSError: if it is that of a directory, socket, pipe or device.
    """
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
    return status


def require_writable(place: Place) -> os.stat_result:
    """Return the status of a file that may be written.

    Raises:
        OSError: if it may not, or is none.
    """
    status = require_file(place.status())
    if not place.is_writable():
        place.status()  # It may be gone since, which is another thing to say.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return status


def open_file(place: Place, flags: int = os.O_RDONLY) -> int:
    """Open a file; the caller closes it.

    Raises:
        OSError: also if it is a link, directory, socket, pipe or device.
    """
    require_file(place.status())
    # Whatever takes its place meanwhile must not make this wait.
    fd = place.open(flags | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        require_file(os.fstat(fd))
    except OSError:
        os.close(fd)
        raise
    return fd


def _pieces(row: Iterable[Bytes]) -> Iterator[Bytes]:
    """Yield what is in a row in pieces that a disk can begin with."""
    for data in row:
        for start in range(0, len(data), EARLY_BYTES):
            yield memoryview(data)[start : start + EARLY_BYTES]


def require_version(place: Place, required: Precondition) -> None:
    """Refuse a file that is not in the version it is required to be in.

    Raises:
        Aborted: if it is not.
    """
    if required.exists is not None:
        required.check_presence(is_there=place.exists())
    if required.hash:
        required.check_hash(digest_of(place))


def digest_of(place: Place) -> str:
    """Return the hash of a file.

    Raises:
        OSError: also if it is no file.
    """
    with open(open_file(place), "rb", buffering=0) as file:
        return hashlib.file_digest(file, HASH_ALGORITHM).hexdigest()


def _copy_attributes(source: Place, fd: int) -> None:
    """Copy what else is said about a file, as who besides its owner may open it."""
    if not _may_have_attributes(source):
        return
    with suppress(OSError):
        original = open_file(source)
        try:
            for name in os.listxattr(original):
                with suppress(OSError):
                    os.setxattr(fd, name, os.getxattr(original, name))
        finally:
            os.close(original)


def _may_have_attributes(place: Place) -> bool:
    """Find out without opening the file, which takes several calls."""
    try:
        named = f"/proc/self/fd/{place.directory}/{place.name}"
        return bool(os.listxattr(named, follow_symlinks=False))
    except OSError:
        return True
