"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perijove_chassis.errors import ResourceExhausted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Put a private file with this content in the place of another or of none.

    Raises:
        OSError: if it cannot be written; the other is as it was.
    """
    draft = path.with_suffix(".new")
    with os.fdopen(_open(draft), "wb") as file:
        file.write(content)
    draft.replace(path)


def replace_sized(path: Path, content: bytes, size: int) -> int:
    """Do the same with zeros behind the content, up to a size; return the open file.

    The room is taken now: no later write into it finds the disk full.

    Raises:
        OSError: if it cannot be written; the other is as it was.
    """
    draft = path.with_suffix(".new")
    descriptor = _open(draft)
    try:
        os.posix_fallocate(descriptor, 0, size)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _open(draft: Path) -> int:
    return os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


@contextmanager
def writing() -> Iterator[None]:
    """Give failures of writes inside their meaning.

    Raises:
        ResourceExhausted: with reason `STORAGE_FULL`.
    """
    try:
        yield
    except OSError as error:
        raise ResourceExhausted(
            "the runner cannot write its state", reason="STORAGE_FULL"
        ) from error
