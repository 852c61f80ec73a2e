"""Schemas from files: Perijove's own, those of extensions, and those of the owner."""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema
import msgspec
import structlog
import yaml

from perijove_sessions.events.model import EventSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

log = structlog.get_logger()

GROUP = "perijove.event_schemas"
"""An entry point of this group is a list of schemas, each a `dict` or the path of a file."""

_SUFFIXES = (".yaml", ".yml", ".json")


class BadSchemaError(Exception):
    """A schema cannot be used."""


class LoadedSchemas:
    """Schemas that were loaded, and what checks events."""

    def __init__(self, documents: Iterable[tuple[str, object]]) -> None:
        """Take schemas, each with its origin for the log.

        One that cannot be used is left out, and so is a second one with the same id:
        that costs its own events, and no others.
        """
        self._schemas: dict[str, EventSchema] = {}
        self._checks: dict[str, Callable[[Any], Any]] = {}
        for origin, document in documents:
            try:
                self._add(document)
            except BadSchemaError as error:
                log.warning("event schema left out", origin=origin, error=str(error))

    def list(self) -> list[EventSchema]:
        """Return all schemas."""
        return list(self._schemas.values())

    def get(self, schema_id: str) -> EventSchema | None:
        """Return a schema."""
        return self._schemas.get(schema_id)

    def objection(self, schema_id: str, members: Mapping[str, Any]) -> str | None:
        """Return what is wrong with the data of an event; None if nothing is."""
        try:
            self._checks[schema_id](members)
        except fastjsonschema.JsonSchemaValueException as error:
            return str(error.message)
        except RecursionError:
            return "the data is nested too deeply"
        return None

    def _add(self, document: Any) -> None:  # noqa: ANN401 - whatever a file holds
        schema = _described(document)
        if schema.schema_id in self._schemas:
            raise BadSchemaError(f"there is another one with the id {schema.schema_id}")
        try:
            check = fastjsonschema.compile(document, handlers=_Nowhere(), use_default=False)
        except Exception as error:
            raise BadSchemaError(f"it is no JSON Schema: {error}") from error
        self._schemas[schema.schema_id], self._checks[schema.schema_id] = schema, check


def all_documents(directory: str) -> Iterator[tuple[str, object]]:
    """Return every schema that is there, with its origin.

    Args:
        directory: The owner's own; none if empty.
    """
    own = resources.files("perijove_sessions.events") / "schemas"
    for file in sorted(own.iterdir(), key=lambda file: file.name):
        yield file.name, yaml.safe_load(file.read_text(encoding="utf-8"))
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name):
        yield from _of_extension(point)
    if directory:
        yield from _of_directory(Path(directory))


def _of_extension(point: metadata.EntryPoint) -> Iterator[tuple[str, object]]:
    try:
        given = list(point.load())
    except Exception as error:  # noqa: BLE001 - it is code of others
        log.warning("event schemas left out", entry_point=point.name, error=repr(error))
        return
    for one in given:
        yield point.name, one if isinstance(one, dict) else _read(Path(str(one)))


def _of_directory(directory: Path) -> Iterator[tuple[str, object]]:
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix in _SUFFIXES)
    except OSError as error:
        log.warning("event schemas left out", directory=str(directory), error=str(error))
        return
    for path in files:
        yield str(path), _read(path)


def _read(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return BadSchemaError(f"it cannot be read: {error}")


def _described(document: Any) -> EventSchema:  # noqa: ANN401 - whatever a file holds
    if isinstance(document, BadSchemaError):
        raise document
    if not isinstance(document, dict):
        raise BadSchemaError("it is no object")
    schema_id, version = document.get("$id"), document.get("version")
    if not isinstance(schema_id, str) or not schema_id:
        raise BadSchemaError("it has no $id")
    if isinstance(version, bool) or not isinstance(version, str | int):
        raise BadSchemaError("it has no version")
    try:
        text = msgspec.json.encode(document)
    except (TypeError, ValueError) as error:
        raise BadSchemaError(f"it is no JSON: {error}") from error
    title, description = (document.get(name) or "" for name in ("title", "description"))
    return EventSchema(schema_id, str(version), str(title), str(description), text)


class _Nowhere(dict[str, Any]):
    """Where schemas are looked for that others refer to: nowhere."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Callable[[str], object]:
        return _refuse


def _refuse(uri: str) -> object:
    raise BadSchemaError(f"it refers to {uri}, which is not in it")
