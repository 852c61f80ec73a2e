"""The user's settings of one plug-in: a JSON5 text that its schema allows."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import fastjsonschema
import structlog
from perijove_chassis.errors import InvalidArgument

from perijove_gateway_http.lab import json5_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_gateway_http.lab.config import JsonObject
    from perijove_gateway_http.lab.schemas import Schema

log = structlog.get_logger()

_EMPTY = "{}"


@dataclass(frozen=True, slots=True)
class UserSettings:
    """What a user set for a plug-in."""

    raw: str
    """The text as the user wrote it."""
    settings: JsonObject
    """What the text says."""
    warning: str | None = None
    """Why the stored text does not count, if so."""


NO_SETTINGS = UserSettings(_EMPTY, {})


class SettingsChecker:
    """Reads settings and checks them against schemas. Calls belong in a thread."""

    def __init__(self, capacity: int = 256) -> None:
        """Make a checker.

        Args:
            capacity: Most schemas to keep compiled, and texts to keep read.
        """
        self._capacity = capacity
        self._validators: dict[bytes, Callable[[Any], Any]] = {}
        self._read: dict[tuple[bytes, bytes], UserSettings] = {}
        self._lock = threading.Lock()

    def parse(self, schema: Schema, raw: str) -> JsonObject:
        """Return what a text says.

        Raises:
            InvalidArgument: if it is no JSON5 object, or not one the schema allows.
        """
        try:
            settings = json5_text.loads(raw)
        except json5_text.Json5Error as error:
            raise InvalidArgument(f"Failed loading settings: {error}") from None
        if not isinstance(settings, dict):
            raise InvalidArgument("Failed validating input: settings must be an object")
        if settings:
            try:
                self._validator(schema)(settings)
            except fastjsonschema.JsonSchemaValueException as error:
                raise InvalidArgument(f"Failed validating input: {error.message}") from None
        return settings

    def stored(self, schema: Schema, content: bytes) -> UserSettings:
        """Return what a stored text says; one that is not allowed counts as empty."""
        key = (schema.content, content)
        with self._lock:
            known = self._read.get(key)
        if known:
            return known
        try:
            # An editor may have left an empty file.
            raw = content.decode() or _EMPTY
            read = UserSettings(raw, self.parse(schema, raw))
        except (UnicodeDecodeError, InvalidArgument) as error:
            warning = f"Failed validating settings ({schema.plugin_id}): {error}"
            log.warning("settings do not count", plugin_id=schema.plugin_id, cause=str(error))
            read = UserSettings(_EMPTY, {}, warning)
        self._keep(self._read, key, read)
        return read

    def _validator(self, schema: Schema) -> Callable[[Any], Any]:
        with self._lock:
            known = self._validators.get(schema.content)
        if known:
            return known
        validator = _compile(schema)
        self._keep(self._validators, schema.content, validator)
        return validator

    def _keep(self, kept: dict[Any, Any], key: object, value: object) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > self._capacity:
                del kept[next(iter(kept))]


def _compile(schema: Schema) -> Callable[[Any], Any]:
    try:
        validator: Callable[[Any], Any] = fastjsonschema.compile(
            schema.parsed, handlers=_NothingElsewhere(), use_default=False
        )
    except Exception as error:  # noqa: BLE001 - the compiler raises whatever the schema brings about
        # The extension is at fault, not the user: what cannot be checked is allowed.
        log.warning("a schema cannot be used", plugin_id=schema.plugin_id, error=str(error))
        return _anything
    return validator


def _anything(value: object) -> object:
    return value


class _NothingElsewhere(dict[str, Any]):
    """Stands for every URI scheme, so that no reference of a schema is fetched."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - as the compiler has it
        return _refuse


def _refuse(uri: str) -> NoReturn:
    raise fastjsonschema.JsonSchemaDefinitionException(f"a reference outside the schema: {uri}")
