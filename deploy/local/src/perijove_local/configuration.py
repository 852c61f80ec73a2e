"""The one file in which everything can be said that options and variables say."""

from __future__ import annotations

import json
import os
import tomllib
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

_NAME: Final = "perijove.toml"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says."""

    path: Path | None = None
    """None if there is no file."""
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Texts, as in variables, by table and name; names have underscores."""

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """Read a file.

        Raises:
            Failure: if it cannot be read or understood, or has a table that there is not.
        """
        try:
            found = tomllib.loads(path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8"
            raise Failure(f"{path} cannot be read: {why}") from None
        except tomllib.TOMLDecodeError as error:
            raise Failure(f"{path}: {error}") from None
        for name, table in found.items():
            if name not in (*COMMANDS, *PROCESSES) or not isinstance(table, dict):
                known = ", ".join(f"[{one}]" for one in (*COMMANDS, *PROCESSES))
                raise Failure(f"{path}: there is no table [{name}]; there are {known}")
        tables = {
            name: {
                key.replace("-", "_"): _text(path, name, key, value) for key, value in table.items()
            }
            for name, table in found.items()
        }
        return cls(path, tables)

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
    for path in usual_places(environ):
        if path.is_file():
            return Configuration.read(path)
    return Configuration()


def usual_places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where a file is looked for, best first."""
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or os.sep) / ".config")
    return Path(home, "perijove", _NAME), Path("/etc/perijove", _NAME)


def _text(path: Path, table: str, key: str, value: Any) -> str:  # noqa: ANN401 - as in the file
    """Return a value as it is in a variable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, dict):
        return json.dumps(value)
    raise Failure(
        f"{path}: [{table}] {key} must be a text, a number, true, false or a list of texts"
    )
