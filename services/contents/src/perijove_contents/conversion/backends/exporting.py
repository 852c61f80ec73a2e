"""nbconvert, told to do nothing but convert. Only workers import this."""

from __future__ import annotations

import errno
import io
import mimetypes
import os
import re
import zipfile
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import nbformat
from nbconvert.exporters import Exporter, HTMLExporter, PDFExporter, WebPDFExporter
from nbconvert.exporters.qt_exporter import QtExporter
from nbconvert.utils.pandoc import PandocMissing
from traitlets.config import Config

from perijove_contents.conversion.backends.messages import (
    Cause,
    Convert,
    Converted,
    ExporterFound,
    Failed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_NBFORMAT = 4
_MAX_MESSAGE = 400
_PLACE = re.compile(r"(?<![\w:/.])/[^\s'\"<>:,;()]+")
_TEXT, _BINARY = "text/plain", "application/octet-stream"

_BROWSERS = (WebPDFExporter, QtExporter)
"""They run the notebook's scripts, as pages of this machine."""

_CAUSES: dict[int | None, Cause] = {
    errno.EFBIG: Cause.TOO_LARGE,
    errno.ENOSPC: Cause.NO_ROOM,
    errno.EDQUOT: Cause.NO_ROOM,
}


class NotDoneError(Exception):
    """A format is not made here; the text says why."""


class Exporting:
    """The exporters that are installed, by their names."""

    def __init__(self, *, config_dir: str, max_output_bytes: int, is_confined: bool) -> None:
        """Find the exporters.

        Args:
            config_dir: Jupyter's configuration, whose style sheet templates may include.
            max_output_bytes: Largest output.
            is_confined: Whether TeX may be let loose on the notebook.
        """
        self._config_dir = config_dir
        self._max_output_bytes = max_output_bytes
        self._is_confined = is_confined
        self._config = Config(
            {
                "ExecutePreprocessor": {"enabled": False},
                "HTMLExporter": {"embed_images": False},
                # Not the working directory: templates are installed.
                "TemplateExporter": {"extra_template_basedirs": []},
            }
        )
        self._exporters = dict(self._find())

    def exporters(self) -> list[ExporterFound]:
        """Return what is installed, in order of names."""
        return [
            ExporterFound(name, cls.output_mimetype)
            for name, cls in sorted(self._exporters.items())
        ]

    def convert(self, job: Convert, notebook: IO[bytes], output: io.FileIO) -> Converted | Failed:
        """Convert a notebook into a file."""
        try:
            try:
                tree = nbformat.reads(notebook.read().decode(), as_version=_NBFORMAT)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - old formats fail in many ways
                return Failed(Cause.UNREADABLE, _told(error))
            converted, data = self._export(job, tree)
            if len(data) > self._max_output_bytes:
                return Failed(Cause.TOO_LARGE, "")
            view = memoryview(data)
            while view:
                view = view[output.write(view) :]
        except MemoryError:
            return Failed(Cause.TOO_MUCH_MEMORY, "")
        except Exception as error:  # noqa: BLE001 - exporters are plug-ins
            number = error.errno if isinstance(error, OSError) else None
            return Failed(_CAUSES.get(number, Cause.FAILED), _told(error))
        return converted

    def _find(self) -> Iterator[tuple[str, type[Exporter]]]:
        for found in entry_points(group="nbconvert.exporters"):
            try:
                cls = found.load()
                if cls(config=self._config).enabled:
                    yield found.name, cls
            except Exception:  # noqa: BLE001, S112 - a broken plug-in is none
                continue

    def _export(self, job: Convert, tree: Any) -> tuple[Converted, bytes]:  # noqa: ANN401 - a notebook
        cls = self._exporters[job.exporter]
        self._require_harmless(cls)
        self._forget_unknown_exporter(tree)
        exporter = cls(config=self._config)
        if isinstance(exporter, HTMLExporter) and job.exporter == "html":
            exporter.sanitize_html = job.sanitize_html
        metadata = {"name": job.name}
        if job.modified_date:
            metadata["modified_date"] = job.modified_date
        given = {"metadata": metadata, "config_dir": self._config_dir}
        made, resources = exporter.from_notebook_node(tree, resources=given)
        extension = resources["output_extension"]
        mime_type = exporter.output_mimetype or _TEXT
        if isinstance(made, str):
            data = made.encode(errors="replace")
        else:
            data = bytes(made)
            # What makes a PDF out of HTML says that it makes HTML.
            mime_type = mimetypes.guess_type(f"_{extension}")[0] or _BINARY
        files = resources.get("outputs")
        if files:
            return (
                Converted("application/zip", ".zip", is_archive=True),
                _archive(job.name + extension, data, files),
            )
        return Converted(mime_type, extension, is_archive=False), data

    def _require_harmless(self, cls: type[Exporter]) -> None:
        if issubclass(cls, _BROWSERS):
            raise NotDoneError(
                "this format needs a browser on the server, and none is run on notebooks there; "
                "export HTML, and print that"
            )
        if issubclass(cls, PDFExporter) and not self._is_confined:
            raise NotDoneError("this format needs TeX, which the server's system cannot confine")

    def _forget_unknown_exporter(self, tree: Any) -> None:  # noqa: ANN401 - a notebook
        """Let a notebook choose an exporter for scripts only among those installed.

        nbconvert takes any name with a dot for something to import and call.
        """
        language = tree.metadata.get("language_info", {})
        cls = self._exporters.get(language.get("nbconvert_exporter"))
        if cls is None:
            language.pop("nbconvert_exporter", None)
        else:
            self._require_harmless(cls)


def _archive(name: str, data: bytes, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(os.path.basename(name), data)
        for path, content in files.items():
            archive.writestr(os.path.basename(path), content)
    return buffer.getvalue()


def _told(error: Exception) -> str:
    """Return what went wrong, for people: without places on this machine."""
    if isinstance(error, PandocMissing):
        return "pandoc is not installed on the server"
    if isinstance(error, NotDoneError):
        return str(error)
    text = str(error).partition("\n")[0] or "it does not say why"
    return f"{type(error).__name__}: {_PLACE.sub('...', text)}"[:_MAX_MESSAGE]
