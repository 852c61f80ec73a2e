"""The desktop's trash."""

from __future__ import annotations


def move_to_trash(location: str) -> None:
    """Move a file or directory to the trash of this user. Blocks.

    Raises:
        OSError: if there is no trash for it.
    """
    # It asks the desktop how when it is imported; few processes ever delete.
    from send2trash import send2trash  # noqa: PLC0415

    send2trash(location)
