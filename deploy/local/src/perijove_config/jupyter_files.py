"""Reads configuration of jupyter_server with its own loader; run as a process: [FILE ...].

A file in Python is a program: it runs here, where it can do nothing to whoever asks.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_path
from traitlets.config.loader import (
    Config,
    ConfigFileNotFound,
    JSONFileConfigLoader,
    LazyConfigValue,
    PyFileConfigLoader,
)

NAMES = ("jupyter_config", "jupyter_server_config")
UNREADABLE = "\0"
"""Begins what stands for a value that no file can hold, such as a function."""


def usual_files() -> Iterator[Path]:
    """Return the files that are there, the one that counts most last."""
    for directory in reversed(jupyter_config_path()):
        for name in NAMES:
            base = Path(directory, name)
            yield from sorted(base.with_suffix(".d").glob("*.json"))
            yield from (base.with_suffix(end) for end in (".py", ".json"))


def loaded(path: Path) -> Config:
    """Return what one file says."""
    loader = JSONFileConfigLoader if path.suffix == ".json" else PyFileConfigLoader
    return loader(path.name, path=str(path.parent)).load_config()


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever somebody has configured
    """Return a value as JSON has it."""
    if isinstance(value, LazyConfigValue):
        value = value.get_value([])
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, os.PathLike):
        return str(value)
    return f"{UNREADABLE}{type(value).__name__}"


def main() -> None:
    """Print what all files say together, as JSON."""
    found, read = Config(), []
    given = [Path(name).absolute() for name in sys.argv[1:]]
    with redirect_stdout(sys.stderr):
        for path in given or usual_files():
            try:
                found.merge(loaded(path))
            except ConfigFileNotFound:
                if given:
                    sys.exit(f"{path} cannot be read")
                continue
            except BaseException as error:  # noqa: BLE001 - a program of somebody else
                sys.exit(f"{path}: {type(error).__name__}: {error}".replace("\n", " "))
            read.append(str(path))
        sections = {name: plain(section) for name, section in found.items()}
    print(json.dumps({"read": read, "sections": sections}))


if __name__ == "__main__":
    main()
