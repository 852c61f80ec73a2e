"""The rules for conversions."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, NotFound

from perijove_contents.content import within
from perijove_contents.conversion.model import Task, exporter_name, stem_of
from perijove_contents.model import EntryType

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Sequence

    from perijove_contents.conversion.model import Exporter
    from perijove_contents.conversion.store import Converted, Converter, Notebooks
    from perijove_contents.model import Bytes, EntryPath


@dataclass(frozen=True, slots=True)
class ConvertedEntry:
    """A notebook of the tree in another format."""

    converted: Converted
    update_time_ns: int
    """When the notebook last changed, in nanoseconds since 1970."""


class ConversionManager:
    """Converts what the tree holds, and what is sent."""

    def __init__(
        self, notebooks: Notebooks, converter: Converter, *, max_content_bytes: int
    ) -> None:
        """Make a manager.

        Args:
            notebooks: Where notebooks are read.
            converter: Converts them.
            max_content_bytes: Largest notebook that is taken.
        """
        self._notebooks = notebooks
        self._converter = converter
        self._max_content_bytes = max_content_bytes

    async def list_exporters(self) -> Sequence[Exporter]:
        """Return the exporters that are installed."""
        return await self._converter.exporters()

    async def convert_entry(
        self, name: str, path: EntryPath, *, sanitize_html: bool
    ) -> ConvertedEntry:
        """Convert a notebook of the tree with the exporter of a name."""
        exporter = await self._require_exporter(name)
        entry = await self._notebooks.look(path, None, with_hash=False)
        if entry.type is not EntryType.NOTEBOOK:
            raise InvalidArgument(f"{path} is not a notebook", reason="BAD_TYPE")
        changed = entry.update_time_ns
        task = Task(exporter, stem_of(path.name), changed, sanitize_html)
        async with aclosing(self._text(path)) as text:
            return ConvertedEntry(await self._converter.convert(task, text), changed)

    async def convert_content(
        self, name: str, file_name: str, content: AsyncIterable[Bytes]
    ) -> Converted:
        """Convert the JSON text of a notebook with the exporter of a name."""
        task = Task(await self._require_exporter(name), stem_of(file_name))
        return await self._converter.convert(task, within(content, self._max_content_bytes))

    async def _text(self, path: EntryPath) -> AsyncGenerator[Bytes, None]:
        """Read a notebook when it is asked for, and forget it when it is read."""
        reading = self._notebooks.read(path, EntryType.NOTEBOOK, None, with_hash=False)
        async with reading as content:
            if content.chunks:
                async for chunk in content.chunks:
                    yield chunk

    async def _require_exporter(self, text: str) -> str:
        name = exporter_name(text)
        if all(name != exporter.name for exporter in await self._converter.exporters()):
            raise NotFound(f"there is no exporter {name}", reason="NO_SUCH_EXPORTER")
        return name
