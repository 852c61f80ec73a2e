"""Names in the tree that change in one step, wherever the filesystem can do that."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from contextlib import nullcontext
from typing import TYPE_CHECKING

from perijove_contents.backends.locks import locked

if TYPE_CHECKING:
    from perijove_contents.backends.places import Place

_LIBC = ctypes.CDLL(None, use_errno=True)
_RENAME_NOREPLACE = 1
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)


def rename_into_free(source: Place, target: Place, *, is_locked: bool = False) -> None:
    """Rename, and replace nothing: plain renaming would, silently.

    Args:
        source: What is renamed.
        target: Its new place.
        is_locked: Whether the caller has locked the target's directory.

    Raises:
        FileExistsError: if something is at the target.
    """
    number = _renameat2(source, target)
    if number in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        # This filesystem cannot check and rename in one step: NFS for one.
        rename_in_two_steps(source, target, is_locked=is_locked)
    elif number:
        raise OSError(number, os.strerror(number))


def rename_in_two_steps(source: Place, target: Place, *, is_locked: bool) -> None:
    """Rename as `rename_into_free` does, where the system cannot do it in one step."""
    with nullcontext() if is_locked else locked(target):
        if not stat.S_ISDIR(source.status().st_mode):
            try:
                # To give a second name replaces nothing, for certain.
                link(source, target)
            except FileExistsError:
                raise
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
            else:
                os.unlink(source.name, dir_fd=source.directory)
                return
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        rename_over(source, target)


def link(source: Place, target: Place) -> None:
    """Give a file a second name.

    Raises:
        FileExistsError: if something is at the target.
    """
    os.link(
        source.name,
        target.name,
        src_dir_fd=source.directory,
        dst_dir_fd=target.directory,
        follow_symlinks=False,
    )


def rename_over(source: Place, target: Place) -> None:
    """Rename, and replace a file or link at the target."""
    os.replace(source.name, target.name, src_dir_fd=source.directory, dst_dir_fd=target.directory)


def _renameat2(source: Place, target: Place) -> int:
    function = getattr(_LIBC, "renameat2", None)
    if function is None:
        return errno.ENOSYS
    old, new = os.fsencode(source.name), os.fsencode(target.name)
    failed = function(source.directory, old, target.directory, new, _RENAME_NOREPLACE)
    return ctypes.get_errno() if failed else 0
