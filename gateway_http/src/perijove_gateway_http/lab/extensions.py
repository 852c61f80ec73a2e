"""Prebuilt extensions, which the page loads beside the application bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from perijove_gateway_http.lab.memo import FileMemo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Extension:
    """One prebuilt extension."""

    directory: Path
    package: dict[str, Any]
    """Its package.json."""
    install: dict[str, Any]
    """How it was installed: package manager, package, how to uninstall it."""

    @property
    def name(self) -> str:
        """Its npm name."""
        return str(self.package["name"])

    @property
    def lab(self) -> dict[str, Any]:
        """What it says to JupyterLab."""
        return _object(self.package.get("jupyterlab"))

    @property
    def build(self) -> dict[str, Any]:
        """What its build wrote down; empty if it was not built."""
        return _object(self.lab.get("_build"))

    @property
    def homepage_url(self) -> str:
        """Where to read about it, or empty."""
        return str(self.package.get("homepage") or self.repository_url or "")

    @property
    def repository_url(self) -> str | None:
        """Where its source is."""
        repository = self.package.get("repository")
        if isinstance(repository, dict):
            return repository.get("url")
        return repository if isinstance(repository, str) else None


class Extensions:
    """Finds the prebuilt extensions. Calls read the disk: they belong in a thread."""

    def __init__(self, labextensions_path: Sequence[Path]) -> None:
        """Make a finder of the directories; the first one that has a name wins."""
        self._path = tuple(labextensions_path)
        self._memo: FileMemo[dict[str, Any]] = FileMemo(_parse)

    def scan(self) -> list[Extension]:
        """Return every extension, in the order of the directories."""
        found: dict[str, Extension] = {}
        for root in self._path:
            for directory in _extension_directories(root):
                extension = self._read(directory)
                if extension:
                    found.setdefault(extension.name, extension)
        return list(found.values())

    def _read(self, directory: Path) -> Extension | None:
        try:
            package = self._memo.get(directory / "package.json")
        except OSError:
            return None
        if not isinstance(package.get("name"), str) or not isinstance(package.get("version"), str):
            log.warning("an extension has no name or version", directory=str(directory))
            return None
        try:
            install = self._memo.get(directory / "install.json")
        except OSError:
            install = {}
        return Extension(directory=directory, package=package, install=install)


def _extension_directories(root: Path) -> Iterator[Path]:
    # They are either in the root itself or in the directory of their organisation.
    yield from sorted(package.parent for package in root.glob("[!@]*/package.json"))
    yield from sorted(package.parent for package in root.glob("@*/*/package.json"))


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except ValueError as error:
        log.warning("an extension's file is no JSON object", path=str(path), error=str(error))
        return {}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
