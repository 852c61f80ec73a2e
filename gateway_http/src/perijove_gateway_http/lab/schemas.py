"""The schemas of the settings of front-end plug-ins, with the defaults that hold here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from perijove_chassis.errors import NotFound

from perijove_gateway_http.lab.config import merge
from perijove_gateway_http.lab.memo import FileMemo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perijove_gateway_http.lab.config import ConfigFiles, JsonObject
    from perijove_gateway_http.lab.extensions import Extensions
    from perijove_gateway_http.lab.installation import Installation

log = structlog.get_logger()

_NO_VERSION = "N/A"


@dataclass(frozen=True)
class Schema:
    """The schema of one plug-in's settings."""

    plugin_id: str
    """Package and plug-in: `@jupyterlab/notebook-extension:panel`."""
    content: bytes
    """The JSON schema, with the defaults that an administrator set."""
    version: str
    """Version of the package."""

    @cached_property
    def parsed(self) -> JsonObject:
        """The schema as an object, not to be changed."""
        return msgspec.json.decode(self.content, type=dict[str, Any])


class Schemas:
    """Finds schemas. Calls read the disk: they belong in a thread."""

    def __init__(
        self, installation: Installation, config: ConfigFiles, extensions: Extensions
    ) -> None:
        self._installation = installation
        self._config = config
        self._extensions = extensions
        self._contents: FileMemo[bytes] = FileMemo(_object_bytes)
        self._versions: FileMemo[str] = FileMemo(_version)

    def ids(self) -> list[str]:
        """Return the ids of all plug-ins that have settings, the last one first."""
        return sorted(self._paths(), reverse=True)

    def all(self) -> list[Schema]:
        """Return the schemas of all plug-ins, in the order of `ids`."""
        overrides = self._overrides()
        paths = self._paths()
        read = (self._read(one, paths[one], overrides) for one in sorted(paths, reverse=True))
        return [schema for schema in read if schema]

    def get(self, plugin_id: str) -> Schema:
        """Return the schema of one plug-in.

        Raises:
            NotFound: if no plug-in that has settings has the id.
        """
        if plugin_id.count(":") != 1:
            raise NotFound(f"Settings not found ({plugin_id})")
        # Looked up among what is installed, never made into a path.
        path = self._paths().get(plugin_id)
        schema = path and self._read(plugin_id, path, self._overrides())
        if not schema:
            raise NotFound(f"Schema not found: {plugin_id}")
        return schema

    def _read(self, plugin_id: str, path: Path, overrides: JsonObject) -> Schema | None:
        try:
            content = self._contents.get(path)
        except OSError as error:
            log.warning("a schema cannot be read", path=str(path), error=error.strerror)
            return None
        if not content:
            return None
        if plugin_id in overrides:
            content = _with_defaults(content, overrides[plugin_id])
        try:
            version = self._versions.get(path.parent / "package.json.orig")
        except OSError:
            version = _NO_VERSION
        return Schema(plugin_id, content, version)

    def _paths(self) -> dict[str, Path]:
        paths = dict(_schemas_below(self._installation.schemas_dir))
        federated: dict[str, Path] = {}
        for extension in self._extensions.scan():
            for plugin_id, path in _schemas_below(extension.directory / "schemas"):
                federated.setdefault(plugin_id, path)
        return {**paths, **federated}

    def _overrides(self) -> JsonObject:
        settings_dir = self._installation.settings_dir
        layers = settings_dir / "overrides.d"
        paths = sorted((*layers.glob("*.json"), *layers.glob("*.json5")))
        paths += [settings_dir / "overrides.json", settings_dir / "overrides.json5"]
        overrides = self._config.merged(paths)
        merge(overrides, self._config.section("default_setting_overrides"))
        return overrides


def _schemas_below(directory: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(directory.rglob("*.json")):
        package = path.parent.relative_to(directory).as_posix()
        yield f"{package}:{path.stem}", path


def _with_defaults(content: bytes, defaults: JsonObject) -> bytes:
    schema: JsonObject = msgspec.json.decode(content)
    properties = schema.setdefault("properties", {})
    for key, value in defaults.items():
        known = properties.setdefault(key, {})
        if isinstance(known.get("default"), dict) and isinstance(value, dict):
            merge(known["default"], value)
        else:
            known["default"] = value
    return msgspec.json.encode(schema)


def _object_bytes(path: Path, content: bytes) -> bytes:
    try:
        # Written anew: the file's indentation is half of it.
        return msgspec.json.encode(msgspec.json.decode(content, type=dict[str, Any]))
    except ValueError as error:
        log.warning("a schema is no JSON object", path=str(path), error=str(error))
        return b""


def _version(path: Path, content: bytes) -> str:
    del path
    try:
        return str(msgspec.json.decode(content, type=dict[str, Any])["version"])
    except (ValueError, KeyError):
        return _NO_VERSION
