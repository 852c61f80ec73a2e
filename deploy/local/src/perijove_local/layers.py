"""From where the value of an option comes: an argument, a variable, the file, or nowhere."""

from __future__ import annotations

import argparse
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from perijove_local.configuration import Configuration

    Add = Callable[..., argparse.Action]

_TRUE: Final = ("true", "yes", "on", "1")
_FALSE: Final = ("false", "no", "off", "0", "")


@dataclass(frozen=True, slots=True)
class Origin:
    """A value of an option, and where it is from."""

    text: str
    place: str
    """A variable, or `the file`."""


class Flags:
    """The options of one command, in groups."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._actions: dict[str, argparse.Action] = {}

    def group(self, title: str) -> Add:
        """Return what adds options under a title."""
        group = self._parser.add_argument_group(title)

        def add(*names: str, **rest: Any) -> argparse.Action:  # noqa: ANN401 - as argparse
            action = group.add_argument(*names, **rest)
            self._actions[action.dest] = action
            return action

        return add

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all options that people are told of, with underscores."""
        shown = (one for one in self._actions.values() if one.help != argparse.SUPPRESS)
        return tuple(action.dest for action in shown)

    def set_defaults(self, origins: Mapping[str, Origin]) -> None:
        """Take values from other places where no argument is given.

        Raises:
            Failure: if one cannot be a value of its option.
        """
        for name, origin in origins.items():
            self._actions[name].default = self._value(name, origin)

    def forget_defaults(self) -> None:
        """Leave out what no argument is given for."""
        for action in self._actions.values():
            action.default = argparse.SUPPRESS

    def _value(self, name: str, origin: Origin) -> object:
        action = self._actions[name]
        try:
            if action.nargs == 0:
                return _boolean(origin.text)
            if action.choices:
                return _one_of(origin.text, tuple(action.choices))
            return action.type(origin.text) if callable(action.type) else origin.text
        except (argparse.ArgumentTypeError, ValueError) as error:
            raise Failure(f"{name.replace('_', '-')} in {origin.place}: {error}") from None


def origins(
    names: Iterable[str],
    table: str,
    file: Configuration,
    environ: Mapping[str, str],
    also: Mapping[str, str],
) -> dict[str, Origin]:
    """Return what is said of options by variables and the file; variables count more.

    Args:
        names: Those of the options.
        table: That of the file.
        file: The file.
        environ: All variables.
        also: Further variables that options may be in, with the names of these.

    Raises:
        Failure: if the table has a name that there is not.
    """
    names = tuple(names)
    for name in file.of(table):
        if name not in names:
            raise Failure(f"{file.place(table, name)}: [{table}] has no {unknown(name, names)}")
    found = {name: Origin(text, file.place(table, name)) for name, text in file.of(table).items()}
    found |= {name: Origin(environ[seen], seen) for seen, name in also.items() if seen in environ}
    for name in names:
        seen = variable_of(table, name)
        if seen in environ:
            found[name] = Origin(environ[seen], seen)
    return found


def variable_of(table: str, name: str) -> str:
    """Return the name of the variable of an option."""
    return f"PERIJOVE_{'' if table in ('up', name) else 'JOIN_'}{name.upper()}"


def unknown(name: str, known: Iterable[str]) -> str:
    """Return a name as a text that says which one may be meant."""
    near = difflib.get_close_matches(name, tuple(known), n=1)
    return f"{name}; did you mean {near[0]}?" if near else name


def _one_of(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(choices)}")
    return text


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise argparse.ArgumentTypeError(f"{text} is neither true nor false")
