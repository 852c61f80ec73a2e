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
    from collections.abc import Iterator

TEMPORARY_PREFIX = ".~perijove-"
"""How names of temporary files and directories begin; the dot hides them."""

_LOCK_S = 10.0
_LOCK_RETRY_S = 0.005
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1


class AtomicFile:
    """Writes a file beside its target and then puts it in the target's place.

    Not for several threads at once. Every method but the constructor blocks.
    """

    def __init__(self, target: str, new_mode: int) -> None:
        """Prepare to replace or create `target`; nothing happens yet.

        Args:
            target: Where the file shall be. What a link there points to is
                replaced, not the link.
            new_mode: Permission bits, if no file was there before.
        """
        self._target = target
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
        self._begin()
        self._settle()
        directory = os.path.dirname(self._target)
        with locked(directory):
            created = not os.path.lexists(self._target)
            if if_hash:
                require_hash(self._target, if_hash)
            os.replace(self._temporary, self._target)
        return self._placed(directory), created

    def replace_locked(self) -> os.stat_result:
        """Put the file in the target's place, in a directory that is locked already."""
        self._begin()
        self._settle()
        os.replace(self._temporary, self._target)
        return self._placed(os.path.dirname(self._target))

    def place(self, target: str) -> os.stat_result:
        """Put the file at another place beside the target, if that is free.

        Raises:
            FileExistsError: if it is not; another one may be tried.
        """
        self._begin()
        self._settle()
        rename_into_free(self._temporary, target)
        return self._placed(os.path.dirname(target))

    def close(self) -> None:
        """Remove what was not put in place."""
        if self._temporary:
            with suppress(OSError):
                os.unlink(self._temporary)
            self._temporary = ""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _begin(self) -> None:
        if self._fd >= 0:
            return
        self._target = os.path.realpath(self._target)
        with suppress(FileNotFoundError):
            self._before = require_file(os.stat(self._target))
            if not os.access(self._target, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        temporary = temporary_beside(self._target)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(temporary, flags, 0o600)
        self._temporary = temporary
        # Held while it is written, so that no other process takes it for a leftover.
        with suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _settle(self) -> None:
        before = self._before
        if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.fchown(self._fd, before.st_uid, before.st_gid)
        os.fchmod(self._fd, stat.S_IMODE(before.st_mode) if before else self._mode)
        os.fsync(self._fd)

    def _placed(self, directory: str) -> os.stat_result:
        self._temporary = ""
        status = os.fstat(self._fd)
        self.close()
        sync_directory(directory)
        return status


def temporary_beside(target: str) -> str:
    """Return a new name in the directory of `target` for something unfinished."""
    directory = os.path.dirname(target)
    return os.path.join(directory, TEMPORARY_PREFIX + secrets.token_hex(8))


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


def open_file(location: str) -> int:
    """Open a file for reading; the caller closes it.

    Raises:
        OSError: also if it is a directory, socket, pipe or device.
    """
    require_file(os.stat(location))
    # Whatever takes its place meanwhile must not make this wait.
    fd = os.open(location, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
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


def require_hash(location: str, expected: str) -> None:
    """Refuse a file that is absent or has another digest than the one expected.

    Raises:
        Aborted: if it has.
    """
    try:
        with open(open_file(location), "rb", buffering=0) as file:
            found = hashlib.file_digest(file, HASH_ALGORITHM).hexdigest()
    except FileNotFoundError:
        found = ""
    if found != expected:
        raise Aborted("the content is no longer the one known", reason="VERSION_MISMATCH")


def sync_directory(directory: str) -> None:
    """Make names that were just put into a directory survive a crash."""
    # Some filesystems cannot do it, and it is done already when this matters.
    with suppress(OSError):
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextmanager
def locked(directory: str) -> Iterator[None]:
    """Keep other processes of this kind from changing names in a directory.

    Raises:
        Aborted: if another one holds it for too long.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock(fd)
        yield
    finally:
        os.close(fd)


def rename_into_free(source: str, target: str) -> None:
    """Rename, and replace nothing: plain renaming would, silently.

    Raises:
        FileExistsError: if something is at the target.
    """
    number = _renameat2(source, target)
    if number in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        # This filesystem cannot check and rename in one step.
        with locked(os.path.dirname(target)):
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            os.rename(source, target)
    elif number:
        raise OSError(number, os.strerror(number))


def _renameat2(source: str, target: str) -> int:
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return errno.ENOSYS
    old, new = os.fsencode(source), os.fsencode(target)
    failed = function(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE)
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
