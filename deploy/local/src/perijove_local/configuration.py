"""The one file in which everything can be said that options and variables say."""

from __future__ import annotations

import json
import os
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_VARIABLE: Final = "PERIJOVE_CONFIG"
"""Names the file, as `--config` does."""

PROCESSES: Final = ("contents", "sessions", "kernels", "runner", "gateway_http")
"""Tables of settings of a process, and the middle of the names of its variables."""

COMMANDS: Final = ("up", "join")
"""Tables of options: of `perijove up`, and of `perijove runner`."""

NAMES: Final = ("perijove.toml", "perijove.yaml", "perijove.yml")
"""What it is called in the usual places."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says."""

    path: Path | None = None
    """None if there is no file."""
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Texts, as in variables, by table and name; names have underscores."""
    lines: Mapping[tuple[str, ...], int] = field(default_factory=lambda: MappingProxyType({}))
    """Where in the file they are, as far as that is known."""

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """Read a file.

        Raises:
            Failure: if it cannot be read or understood, or has a table that there is not.
        """
        found, lines = _read(path)
        for name, table in found.items():
            if name not in (*COMMANDS, *PROCESSES) or not isinstance(table, dict):
                known = ", ".join(f"[{one}]" for one in (*COMMANDS, *PROCESSES))
                place = _place(path, lines, name)
                raise Failure(f"{place}: there is no table [{name}]; there are {known}")
        return cls(
            path,
            {name: _texts(path, lines, name, table) for name, table in found.items()},
            {tuple(map(_plain, names)): line for names, line in lines.items()},
        )

    def place(self, table: str, name: str) -> str:
        """Return where the file says something, for people."""
        return _place(self.path, self.lines, table, name)

    def of(self, table: str) -> Mapping[str, str]:
        """Return what a table says; nothing if there is none."""
        return self.tables.get(table, {})

    def variables(self) -> dict[str, str]:
        """Return the settings of processes as variables."""
        return {
            variable(process, name): text
            for process in PROCESSES
            for name, text in self.of(process).items()
        }


def variable(process: str, name: str) -> str:
    """Return the name of the variable of a setting."""
    return f"PERIJOVE_{process.upper()}_{name.upper()}"


def find(named: str | None, environ: Mapping[str, str]) -> Configuration:
    """Return what the named file says, else the first in the usual places, if there is one.

    Those are the user's and the machine's; never where documents are, which others may write.

    Raises:
        Failure: if there is no such file, or it is wrong.
    """
    if chosen := named or environ.get(FILE_VARIABLE):
        return Configuration.read(Path(chosen).expanduser())
    for directory in usual_directories(environ):
        there = [path for name in NAMES if (path := directory / name).is_file()]
        if len(there) > 1:
            raise Failure(f"there are both {there[0]} and {there[1].name}: keep one")
        if there:
            return Configuration.read(there[0])
    return Configuration()


def usual_directories(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where a file is looked for, best first."""
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or os.sep) / ".config")
    return Path(home, "perijove"), Path("/etc/perijove")


def _read(path: Path) -> tuple[Mapping[str, Any], Mapping[tuple[str, ...], int]]:
    """Return what a file says, and the lines of its names if it is YAML."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8"
        raise Failure(f"{path} cannot be read: {why}") from None
    if path.suffix in (".yaml", ".yml"):
        from perijove_local import yaml_file  # noqa: PLC0415 - few have one

        try:
            tables = yaml_file.read(text)
        except yaml_file.YamlError as error:
            raise Failure(f"{path}, {error}") from None
        return tables.values, tables.lines
    try:
        return tomllib.loads(text), {}
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{path}: {error}") from None


def _texts(
    path: Path, lines: Mapping[tuple[str, ...], int], table: str, values: Mapping[str, Any]
) -> dict[str, str]:
    """Return a table as variables would say it."""
    found: dict[str, str] = {}
    for key, value in values.items():
        place, name = _place(path, lines, table, key), _plain(key)
        if name in found:
            raise Failure(f"{place}: [{table}] says {name} twice")
        text = _text(value)
        if text is None:
            raise Failure(
                f"{place}: [{table}] {key} must be a text, a number, true, false or a list of texts"
            )
        found[name] = text
    return found


def _place(path: Path | None, lines: Mapping[tuple[str, ...], int], *names: str) -> str:
    line = lines.get(names)
    return f"{path}, line {line}" if line else str(path)


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _text(value: Any) -> str | None:  # noqa: ANN401 - as in the file
    """Return a value as it is in a variable; None if it cannot be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, dict):
        with suppress(TypeError):  # TOML has times
            return json.dumps(value)
    return None
