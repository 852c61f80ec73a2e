"""The rules for the documents of front ends."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
import structlog
from perijove_chassis.errors import InvalidArgument, NotFound, ResourceExhausted

from perijove_contents.documents.model import MAX_BYTES, Collection, Document, DocumentKey

if TYPE_CHECKING:
    from perijove_contents.documents.store import DocumentsStore

log = structlog.get_logger()


class DocumentsManager:
    """Applies the rules for documents to a store."""

    def __init__(self, store: DocumentsStore) -> None:
        self._store = store

    async def get(self, key: DocumentKey) -> Document:
        """Return a document.

        Raises:
            NotFound: if there is none.
        """
        layers = await self._store.layers(key)
        if not layers:
            raise NotFound(f"there is no document {key}", reason="NO_SUCH_DOCUMENT")
        if key.collection is not Collection.CONFIG:
            return layers[-1]
        merged: dict[str, Any] = {}
        for layer in layers:
            merge(merged, _usable_object(layer.content))
        return replace(layers[-1], content=_text_of(merged))

    async def list(
        self, collection: Collection, *, after: str, limit: int
    ) -> tuple[list[Document], bool]:
        """Return documents in order of their ids, and whether there are more.

        Args:
            collection: Which to list.
            after: Only ids greater than this one.
            limit: Most documents to return.
        """
        found: list[Document] = []
        total = 0
        for id_ in await self._store.ids(collection):
            if id_ <= after:
                continue
            try:
                document = await self.get(DocumentKey.parse(collection, id_))
            except (NotFound, InvalidArgument, ResourceExhausted):
                # Deleted meanwhile, or put there by somebody with other ideas of names or sizes.
                continue
            total += len(document.content)
            if len(found) == limit or (found and total > MAX_BYTES):
                return found, True
            found.append(document)
        return found, False

    async def put(self, key: DocumentKey, content: bytes) -> Document:
        """Create or replace a document."""
        _require_small(content)
        _require_fitting(key, content)
        if key.collection is Collection.CONFIG:
            content = _text_of(_object_of(content))
            _require_small(content)
        return await self._store.store(key, lambda _: content)

    async def merge(self, key: DocumentKey, patch: bytes) -> Document:
        """Merge a JSON object into what the user stored, and return that."""
        if key.collection is not Collection.CONFIG:
            raise InvalidArgument("only configuration can be merged")
        _require_small(patch)
        changes = _object_of(patch)

        def change(present: bytes | None) -> bytes:
            merged = _usable_object(present) if present else {}
            merge(merged, changes)
            content = _text_of(merged)
            _require_small(content)
            return content

        return await self._store.store(key, change)

    async def delete(self, key: DocumentKey) -> None:
        """Delete a document.

        Raises:
            NotFound: if there is none.
        """
        await self._store.delete(key)


def merge(target: dict[str, Any], changes: dict[str, Any]) -> None:
    """Merge by key at any depth; None deletes a key, and so does an object left empty."""
    for key, value in changes.items():
        if isinstance(value, dict):
            inner = target.setdefault(key, {})
            if not isinstance(inner, dict):
                inner = target[key] = {}
            merge(inner, value)
            if not inner:
                del target[key]
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = value


def workspace_id(content: bytes) -> str:
    """Return the id that a workspace says to have.

    Raises:
        InvalidArgument: if it is no workspace.
    """
    metadata = _object_of(content).get("metadata")
    said = metadata.get("id") if isinstance(metadata, dict) else None
    if not isinstance(said, str):
        raise InvalidArgument("a workspace must say its id", reason="BAD_FORMAT")
    return unquote(said).removeprefix("/")


def _require_small(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise ResourceExhausted(
            f"a document holds at most {MAX_BYTES} bytes", reason="LIMIT_EXCEEDED"
        )


def _require_fitting(key: DocumentKey, content: bytes) -> None:
    match key.collection:
        case Collection.CONFIG:
            _object_of(content)
        case Collection.SETTINGS:
            try:
                content.decode()
            except UnicodeDecodeError:
                raise InvalidArgument("settings must be UTF-8", reason="BAD_FORMAT") from None
        case Collection.WORKSPACES:
            said = workspace_id(content)
            if said != unquote(key.id).removeprefix("/"):
                raise InvalidArgument(
                    f"the workspace says to be {said[:80]!r}", reason="BAD_FORMAT"
                )


def _object_of(text: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidArgument("the content is not JSON", reason="BAD_FORMAT") from None
    if not isinstance(value, dict):
        raise InvalidArgument("the content is not a JSON object", reason="BAD_FORMAT")
    return value


def _usable_object(text: bytes) -> dict[str, Any]:
    try:
        return _object_of(text)
    except InvalidArgument:
        # People edit these by hand; what is broken counts as empty.
        log.warning("a part of the configuration is not JSON")
        return {}


def _text_of(value: dict[str, Any]) -> bytes:
    # People edit these, with programs that take a file for another encoding than it has.
    return json.dumps(value, indent=2).encode()
