"""Documents as the files that Jupyter and JupyterLab themselves use."""

from __future__ import annotations

import os
from contextlib import suppress
from glob import escape, glob
from typing import TYPE_CHECKING

from perijove_chassis.errors import DomainError, NotFound, ResourceExhausted

from perijove_contents.backends.atomic import AtomicFile, open_file
from perijove_contents.backends.border import os_errors_as_domain
from perijove_contents.backends.locks import locked
from perijove_contents.backends.places import place_at
from perijove_contents.documents.backends.layout import (
    CONFIG_SUFFIX,
    SETTINGS_SUFFIX,
    WORKSPACE_SUFFIX,
)
from perijove_contents.documents.manager import workspace_id
from perijove_contents.documents.model import MAX_BYTES, Collection, Document, DocumentKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perijove_contents.backends.threads import Threads
    from perijove_contents.documents.backends.layout import Layout

_MODE = 0o600


class FilesystemDocuments:
    """Keeps documents in files; several processes may share them."""

    def __init__(self, layout: Layout, threads: Threads) -> None:
        self._layout = layout
        self._threads = threads

    async def ids(self, collection: Collection) -> Sequence[str]:
        """Return the ids of what is there."""
        with os_errors_as_domain(collection.value):
            return await self._threads.run(self._ids, collection)

    async def layers(self, key: DocumentKey) -> Sequence[Document]:
        """Return what there is under an id."""
        with os_errors_as_domain(key):
            return await self._threads.run(self._layers, key)

    async def store(self, key: DocumentKey, change: Callable[[bytes | None], bytes]) -> Document:
        """Replace what the user stored."""
        with os_errors_as_domain(key):
            return await self._threads.run(self._store, key, change)

    async def delete(self, key: DocumentKey) -> None:
        """Delete what the user stored."""
        try:
            with os_errors_as_domain(key):
                await self._threads.run(os.unlink, self._layout.locate(key))
        except NotFound:
            raise NotFound(f"there is no document {key}", reason="NO_SUCH_DOCUMENT") from None

    def _ids(self, collection: Collection) -> list[str]:
        match collection:
            case Collection.CONFIG:
                found = self._config_ids()
            case Collection.SETTINGS:
                found = self._settings_ids()
            case Collection.WORKSPACES:
                found = self._workspace_ids()
        return sorted(set(found))

    def _config_ids(self) -> Iterator[str]:
        for directory in self._layout.config_directories():
            for location in glob(f"{escape(directory)}/*{CONFIG_SUFFIX}"):
                yield os.path.basename(location).removesuffix(CONFIG_SUFFIX)
            for location in glob(f"{escape(directory)}/*.d"):
                yield os.path.basename(location).removesuffix(".d")

    def _settings_ids(self) -> Iterator[str]:
        root = self._layout.settings
        for packages in ("*", "@*/*"):
            for location in glob(f"{escape(root)}/{packages}/*{SETTINGS_SUFFIX}"):
                package, plugin = os.path.split(os.path.relpath(location, root))
                yield f"{package}:{plugin.removesuffix(SETTINGS_SUFFIX)}"

    def _workspace_ids(self) -> Iterator[str]:
        for location in glob(f"{escape(self._layout.workspaces)}/*{WORKSPACE_SUFFIX}"):
            # People put things there too; what is no workspace is not listed.
            with suppress(DomainError, OSError):
                if found := _read(location):
                    yield workspace_id(found[0])

    def _layers(self, key: DocumentKey) -> list[Document]:
        places = [self._layout.locate(key)]
        if key.collection is Collection.CONFIG:
            places = []
            for directory in self._layout.config_directories():
                # What packages bring comes below what the owner of the directory says.
                places += sorted(glob(os.path.join(escape(directory), f"{key.id}.d", "*.json")))
                places.append(os.path.join(directory, key.id + CONFIG_SUFFIX))
        return [_document(key, *found) for place in places if (found := _read(place))]

    def _store(self, key: DocumentKey, change: Callable[[bytes | None], bytes]) -> Document:
        location = self._layout.locate(key)
        directory = os.path.dirname(location)
        os.makedirs(directory, exist_ok=True)
        with place_at(location) as place, locked(place):
            content = change(present[0] if (present := _read(location)) else None)
            file = AtomicFile(place.again, _MODE)
            try:
                file.write(content)
                status = file.replace_locked()
            finally:
                file.close()
        return _document(key, content, status)


def _read(location: str) -> tuple[bytes, os.stat_result] | None:
    try:
        with place_at(location) as place:
            fd = open_file(place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(fd, "rb") as file:
        content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ResourceExhausted("the document is too large", reason="LIMIT_EXCEEDED")
        return content, os.fstat(file.fileno())


def _document(key: DocumentKey, content: bytes, status: os.stat_result) -> Document:
    return Document(key, content, status.st_ctime_ns, status.st_mtime_ns)
