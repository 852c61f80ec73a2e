"""The border to the operating system: its errors become meaning here."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perijove_chassis.errors import (
    AlreadyExists,
    DomainError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEANINGS: dict[int | None, tuple[type[DomainError], str, str]] = {
    errno.ENOENT: (NotFound, "File or directory does not exist: {}", "NO_SUCH_ENTRY"),
    errno.ENOTDIR: (NotFound, "File or directory does not exist: {}", "NO_SUCH_ENTRY"),
    errno.EEXIST: (AlreadyExists, "File already exists: {}", "ENTRY_EXISTS"),
    errno.ENOTEMPTY: (FailedPrecondition, "Directory {} not empty", "DIRECTORY_NOT_EMPTY"),
    errno.EISDIR: (InvalidArgument, "{} is a directory, not a file", "BAD_TYPE"),
    errno.ENXIO: (InvalidArgument, "{} is neither file nor directory", "BAD_TYPE"),
    errno.ENAMETOOLONG: (InvalidArgument, "the path is too long", "BAD_PATH"),
    errno.ELOOP: (InvalidArgument, "the links of {} lead nowhere", "BAD_PATH"),
    errno.EINVAL: (InvalidArgument, "the storage cannot do this to {}", "BAD_PATH"),
    errno.EACCES: (PermissionDenied, "Permission denied: {}", "NO_PERMISSION"),
    errno.EPERM: (PermissionDenied, "Permission denied: {}", "NO_PERMISSION"),
    errno.EROFS: (PermissionDenied, "Permission denied: {}", "NO_PERMISSION"),
    errno.EBUSY: (FailedPrecondition, "{} is in use", ""),
    errno.ENOSPC: (ResourceExhausted, "no room is left for {}", "STORAGE_FULL"),
    errno.EDQUOT: (ResourceExhausted, "no room is left for {}", "STORAGE_FULL"),
    errno.EFBIG: (ResourceExhausted, "no room is left for {}", "STORAGE_FULL"),
    errno.EMFILE: (Unavailable, "the storage is too busy", ""),
    errno.ENFILE: (Unavailable, "the storage is too busy", ""),
    errno.ESTALE: (Unavailable, "the storage does not answer", ""),
    errno.ETIMEDOUT: (Unavailable, "the storage does not answer", ""),
    errno.EIO: (Unavailable, "the storage does not answer", ""),
}


@contextmanager
def os_errors_as_domain(name: object) -> Iterator[None]:
    """Turn an `OSError` raised inside into its meaning.

    Args:
        name: What to call the thing worked on: its API path or id, never its
            place on this machine.

    Raises:
        DomainError: in place of an `OSError` whose meaning is known.
    """
    try:
        yield
    except OSError as error:
        meaning = _MEANINGS.get(error.errno)
        if meaning is None:
            raise
        cls, message, reason = meaning
        raise cls(message.format(str(name) or "the root"), reason=reason) from error
