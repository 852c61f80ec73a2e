"""JSON configuration in layers, as Jupyter keeps it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from perijove_gateway_http.lab import json5_text
from perijove_gateway_http.lab.memo import FileMemo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

log = structlog.get_logger()

JsonObject = dict[str, Any]


def merge(target: JsonObject, new: JsonObject) -> None:
    """Merge a layer into what lies below it.

    Objects are merged by key at any depth, `null` deletes a key, and an object
    that becomes empty is deleted too.
    """
    for key, value in new.items():
        if isinstance(value, dict):
            below = target.get(key)
            below = below if isinstance(below, dict) else {}
            merge(below, value)
            if below:
                target[key] = below
            else:
                target.pop(key, None)
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = value


class ConfigFiles:
    """Reads configuration files; one that cannot be read counts as empty."""

    def __init__(self, config_path: Sequence[Path]) -> None:
        """Make a reader of the directories of Jupyter's configuration, the first one wins."""
        self._directories = tuple(directory / "labconfig" for directory in config_path)
        self._memo: FileMemo[JsonObject] = FileMemo(_parse)

    def section(self, name: str) -> JsonObject:
        """Return a section of `labconfig`, merged from all directories.

        In each, `<name>.d/*.json` lies below `<name>.json`.
        """
        paths: list[Path] = []
        for directory in reversed(self._directories):
            paths += [*sorted((directory / f"{name}.d").glob("*.json")), directory / f"{name}.json"]
        return self.merged(paths)

    def merged(self, paths: Iterable[Path]) -> JsonObject:
        """Return the files merged, the last one on top."""
        merged: JsonObject = {}
        for path in paths:
            merge(merged, self.read(path))
        return merged

    def read(self, path: Path) -> JsonObject:
        """Return a file's object, empty if there is none."""
        try:
            return copy.deepcopy(self._memo.get(path))
        except FileNotFoundError:
            return {}
        except OSError as error:
            log.warning("configuration cannot be read", path=str(path), error=error.strerror)
            return {}


def _parse(path: Path, content: bytes) -> JsonObject:
    # An empty file is how some tools switch a default off.
    if not content.strip():
        return {}
    try:
        if path.suffix == ".json5":
            value = json5_text.loads(content.decode())
        else:
            value = msgspec.json.decode(content)
    except ValueError as error:
        log.warning("configuration is no JSON", path=str(path), error=str(error))
        return {}
    if not isinstance(value, dict):
        log.warning("configuration is no object", path=str(path))
        return {}
    return value
