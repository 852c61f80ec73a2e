"""The file of settings, if it is YAML: every value is the text that is written there.

What a word means, the setting says that has it: `no` is a text for one and false for another, and
`0600` are four digits. Nothing is ever made of a tag, and what stands for something else, an
alias, is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_LEVELS: Final = 8
_SETTING: Final = 2
"""How many names lead to a setting: that of the table, and its own."""
_NO_TABLE: Final = "there are to be names and their values"
_NULL: Final = ("", "~", "null", "Null", "NULL")
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")


class YamlError(Exception):
    """The text is no such file; the message says why, and in which line."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")


@dataclass(frozen=True, slots=True)
class Tables:
    """What the file says."""

    values: Mapping[str, Any]
    """By table and name: texts, or lists or objects of them."""
    lines: Mapping[tuple[str, ...], int]
    """Where what the names lead to is, counted from one."""


def read(text: str) -> Tables:
    """Read a text.

    Raises:
        YamlError: if it cannot be understood, or says more than settings can be.
    """
    try:
        return _Reader(yaml.parse(text, Loader=yaml.SafeLoader)).tables()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, error.problem or "it is no YAML") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(line, f"{error.character!r} cannot be in YAML") from None


class _Reader:
    """Takes events of the parser one after the other."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._levels = 0
        self._lines: dict[tuple[str, ...], int] = {}

    def tables(self) -> Tables:
        next(self._events)  # the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return Tables({}, {})
        values = self._value(next(self._events), ())
        next(self._events)  # the end of the document
        if not isinstance(event := next(self._events), yaml.StreamEndEvent):
            raise YamlError(_line(event), "there is to be one document")
        return Tables(values, self._lines)

    def _value(self, event: Any, names: tuple[str, ...]) -> Any:  # noqa: ANN401
        """Return a value, as settings have it or as JSON has it below them.

        Args:
            event: Its first; the others are to come.
            names: Of the table, the setting, and what is in that.
        """
        _check(event)
        self._lines.setdefault(names, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, names)
        self._levels += 1
        if self._levels > _MOST_LEVELS:
            raise YamlError(_line(event), "there is too much in one another")
        if isinstance(event, yaml.MappingStartEvent):
            value: Any = self._object(names)
        elif len(names) < _SETTING:
            raise YamlError(_line(event), _NO_TABLE)
        else:
            value = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                value.append(self._value(item, names))
        self._levels -= 1
        return value

    def _object(self, names: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            _check(key)
            if not isinstance(key, yaml.ScalarEvent):
                raise YamlError(_line(key), "a name is to be a text")
            if key.value in found:
                raise YamlError(_line(key), f"{key.value} is there twice")
            self._lines[*names, key.value] = _line(key)
            found[key.value] = self._value(next(self._events), (*names, key.value))
        return found


def _scalar(event: Any, names: tuple[str, ...]) -> Any:  # noqa: ANN401
    is_plain = event.implicit[0]
    is_nothing = is_plain and event.value in _NULL
    if len(names) < _SETTING:
        if is_nothing:
            return {}
        raise YamlError(_line(event), _NO_TABLE)
    is_word = event.value in ("true", "false") or _NUMBER.fullmatch(event.value)
    if is_plain and is_word and len(names) > _SETTING:
        return msgspec.json.decode(event.value)
    if is_nothing:
        raise YamlError(_line(event), f"{names[-1]} has no value; '' is an empty one")
    return event.value


def _check(event: Any) -> None:  # noqa: ANN401
    if isinstance(event, yaml.AliasEvent) or event.anchor:
        raise YamlError(_line(event), "anchors and aliases are not read")
    if event.tag:
        raise YamlError(_line(event), f"the tag {event.tag} is not read")


def _line(event: Any) -> int:  # noqa: ANN401
    return int(event.start_mark.line) + 1
