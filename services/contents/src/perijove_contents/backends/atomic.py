"""Files that appear whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from perijove_chassis.errors import Aborted

from perijove_contents.model import HASH_ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perijove_contents.backends.places import Place

TEMPORARY_PREFIX = ".~perijove-"
"""How names of temporary files and directories begin; the dot hides them."""

_LOCK_S = 10.0
_LOCK_RETRY_S = 0.005
_RENAME_NOREPLACE = 1
_READ_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class AtomicFile:
    """Writes a file beside its target and then puts it in the target's place.

    Not for several threads at once. Every method but the constructor blocks.
    """

    def __init__(self, find: Callable[[], Place], new_mode: int) -> None:
        """Prepare to replace or create a file; nothing happens yet.

        Args:
            find: Returns where the file shall be; it is called when that is needed.
            new_mode: Permission bits, if no file was there before.
        """
        self._find = find
        self._target: Place | None = None
        self._mode = new_mode
        self._before: os.stat_result | None = None
        self._temporary = ""
        self._fd = -1

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            OSError: also if the target may not be written.
        """
        self._begin()
        write_all(self._fd, data)

    def set_times_and_mode(self, like: os.stat_result) -> None:
        """Give the file the times and the permission bits of another one."""
        self._begin()
        self._mode = stat.S_IMODE(like.st_mode)
        self._before = None
        os.utime(self._fd, ns=(like.st_atime_ns, like.st_mtime_ns))

    def replace(self, if_hash: str = "") -> tuple[os.stat_result, bool]:
        """Put the file in the target's place.

        Returns:
            The file's status, and whether no file was there before.

        Raises:
            Aborted: if `if_hash` is not empty and not the hash of what is there.
        """
        target = self._begin()
        self._settle()
        with locked(target):
            created = not target.exists()
            if if_hash:
                require_hash(target, if_hash)
            rename_over(target.beside(self._temporary), target)
        return self._placed(), created

    def replace_locked(self) -> os.stat_result:
        """Put the file in the target's place, in a directory that is locked already."""
        target = self._begin()
        self._settle()
        rename_over(target.beside(self._temporary), target)
        return self._placed()

    def place(self, name: str) -> os.stat_result:
        """Put the file beside the target under another name, if that is free.

        Raises:
            FileExistsError: if it is not; another one may be tried.
        """
        target = self._begin()
        self._settle()
        rename_into_free(target.beside(self._temporary), target.beside(name))
        return self._placed()

    def close(self) -> None:
        """Remove what was not put in place."""
        target = self._target
        if target and self._temporary:
            with suppress(OSError):
                os.unlink(self._temporary, dir_fd=target.directory)
            self._temporary = ""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if target:
            target.close()
            self._target = None

    def _begin(self) -> Place:
        if self._target and self._fd >= 0:
            return self._target
        self._target = target = self._find()
        with suppress(FileNotFoundError):
            self._before = require_file(target.status())
            if not target.is_writable():
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        temporary = temporary_name()
        self._fd = target.beside(temporary).open(os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._temporary = temporary
        # Held while it is written, so that no other process takes it for a leftover.
        with suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return target

    def _settle(self) -> None:
        before = self._before
        if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.fchown(self._fd, before.st_uid, before.st_gid)
        os.fchmod(self._fd, stat.S_IMODE(before.st_mode) if before else self._mode)
        os.fsync(self._fd)

    def _placed(self) -> os.stat_result:
        self._temporary = ""
        status = os.fstat(self._fd)
        if self._target:
            sync_directory(self._target)
        self.close()
        return status


def temporary_name() -> str:
    """Return a new name for something unfinished."""
    return TEMPORARY_PREFIX + secrets.token_hex(8)


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


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def require_hash(place: Place, expected: str) -> None:
    """Refuse a file that is absent or has another digest than the one expected.

    Raises:
        Aborted: if it has.
    """
    try:
        with open(open_file(place), "rb", buffering=0) as file:
            found = hashlib.file_digest(file, HASH_ALGORITHM).hexdigest()
    except FileNotFoundError:
        found = ""
    if found != expected:
        raise Aborted("the content is no longer the one known", reason="VERSION_MISMATCH")


def sync_directory(place: Place) -> None:
    """Make names that were just put beside a place survive a crash."""
    # Some filesystems cannot do it, and it is done already when this matters.
    with suppress(OSError):
        fd = os.open(".", _READ_DIRECTORY, dir_fd=place.directory)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Keep other processes of this kind from changing names in the directory of a place.

    Raises:
        Aborted: if another one holds it for too long.
    """
    fd = os.open(".", _READ_DIRECTORY, dir_fd=place.directory)
    try:
        lock(fd)
        yield
    finally:
        os.close(fd)


def rename_into_free(source: Place, target: Place) -> None:
    """Rename, and replace nothing: plain renaming would, silently.

    Raises:
        FileExistsError: if something is at the target.
    """
    number = _renameat2(source, target)
    if number in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        # This filesystem cannot check and rename in one step.
        with locked(target):
            if target.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            rename_over(source, target)
    elif number:
        raise OSError(number, os.strerror(number))


def rename_over(source: Place, target: Place) -> None:
    """Rename, and replace a file or link at the target."""
    os.replace(source.name, target.name, src_dir_fd=source.directory, dst_dir_fd=target.directory)


def _renameat2(source: Place, target: Place) -> int:
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return errno.ENOSYS
    old, new = os.fsencode(source.name), os.fsencode(target.name)
    failed = function(source.directory, old, target.directory, new, _RENAME_NOREPLACE)
    return ctypes.get_errno() if failed else 0


def lock(fd: int) -> None:
    """Lock an open file or directory against other processes of this kind.

    Raises:
        Aborted: if another one holds it for too long.
    """
    give_up = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise Aborted("somebody else is changing this directory") from None
            time.sleep(_LOCK_RETRY_S)
        except OSError:
            # Without locks there is no order between processes, but still no torn file.
            return
        else:
            return
