"""What the rules for documents ask of storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perijove_contents.documents.model import Collection, Document, DocumentKey


class DocumentsStore(Protocol):
    """Keeps documents durably; several processes may share it."""

    async def ids(self, collection: Collection) -> Sequence[str]:
        """Return the ids of what is there, in order."""

    async def layers(self, key: DocumentKey) -> Sequence[Document]:
        """Return what there is under an id, weakest first; nothing if there is nothing.

        Only configuration has more than one layer: the system, the environment
        and the user may each say something.
        """

    async def store(self, key: DocumentKey, change: Callable[[bytes | None], bytes]) -> Document:
        """Replace what the user stored; nobody else does so meanwhile.

        Args:
            key: Which document.
            change: Is given the present content, or None, and returns the new
                one. If it raises, nothing changes.
        """

    async def delete(self, key: DocumentKey) -> None:
        """Delete what the user stored.

        Raises:
            NotFound: if the user stored nothing.
        """
