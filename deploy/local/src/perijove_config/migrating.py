"""The configuration of a jupyter_server as one of Perijove."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from perijove_local.terminal import Failure

from perijove_config.jupyter_files import UNREADABLE
from perijove_config.succession import successor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perijove_config.catalogue import Setting
    from perijove_config.successors import Successor

_LIMIT_S: Final = 30.0
_PASSWORDS: Final = ("password", "hashed_password")
_TABLES: Final = ("up", "contents", "sessions", "kernels", "runner", "gateway_http")


class Read(msgspec.Struct, frozen=True):
    """What the files of a jupyter_server say."""

    read: tuple[str, ...]
    """Their names, the one that counts most last."""
    sections: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Kept:
    table: str
    name: str
    value: Any
    remark: str

    def beside(self, other: _Kept | None) -> _Kept:
        """Return what says both, of two that say parts of one object; else this one."""
        if other and isinstance(self.value, dict) and isinstance(other.value, dict):
            return replace(self, value={**other.value, **self.value})
        return self


def read(files: Sequence[str]) -> Read:
    """Read the named files, or those that a jupyter_server would, in a process of its own.

    Raises:
        Failure: if one cannot be read, or is a program that fails.
    """
    command = (sys.executable, "-m", "perijove_config.jupyter_files", *files)
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"a file is a program that has not ended in {_LIMIT_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failure(said[-1] if said else "the files cannot be read")
    return msgspec.json.decode(done.stdout, type=Read)


def migrated(found: Read, settings: Sequence[Setting], password_file: str) -> Iterator[str]:
    """Return the lines of a file that says the same, and what has no equivalent.

    A password is written to its file, if one is named.

    Raises:
        Failure: if that cannot be.
    """
    kept: dict[tuple[str, str], _Kept] = {}
    left: list[str] = []
    for section, trait, value in _traits(found.sections):
        one = _kept(section, trait, value, settings, password_file)
        if isinstance(one, str):
            left.append(one)
        else:
            place = one.table, one.name
            kept[place] = one.beside(kept.get(place))
    for name in found.read:
        yield f"# From {name}"
    for table in _TABLES:
        lines = [one for one in kept.values() if one.table == table]
        if lines:
            yield f"\n[{table}]"
        for one in lines:
            remark = f"  # {one.remark}" if one.remark else ""
            yield f"{one.name} = {_toml(one.value)}{remark}"
    if left:
        yield "\n# Nothing says this:"
    yield from (f"# {one}" for one in left)


def _traits(sections: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    for section, traits in sections.items():
        for trait, value in traits.items():
            yield section, trait, value


def _kept(
    section: str,
    trait: str,
    value: object,
    settings: Sequence[Setting],
    password_file: str,
) -> _Kept | str:
    """Return what says the same, or why nothing does."""
    following, name = successor(section, trait), f"{section}.{trait}"
    if not following.table:
        return f"{name}: {following.why}"
    if isinstance(value, str) and value.startswith(UNREADABLE):
        return f"{name}: a {value.removeprefix(UNREADABLE)} cannot be in a file"
    if trait in _PASSWORDS:
        return _password(name, str(value or ""), password_file)
    try:
        made = following.change(value) if following.change else value
        wrong = "" if made is None else _problem(following, made, settings)
        if not wrong and made is not None:
            _toml(made)
            return _Kept(following.table, following.name, made, following.why)
    except (AttributeError, TypeError, ValueError):
        wrong = f"{value!r} is no value that it can have"
    return f"{name}: {wrong or following.why or 'it is not set there either'}"


def _password(name: str, hashed: str, password_file: str) -> _Kept | str:
    """Carry a stored password over: it holds in a file of its own, too.

    Raises:
        Failure: if the file is there, or cannot be written.
    """
    if not hashed:
        return f"{name}: there is no password"
    if not password_file:
        return f"{name}: with --password-file FILE it is written there, and holds on"
    try:
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Failure(f"{password_file} cannot be written: {error.strerror}") from None
    with open(descriptor, "w") as file:  # noqa: PTH123 - a descriptor
        file.write(hashed + "\n")
    return _Kept("up", "password-file", str(Path(password_file).absolute()), "")


def _problem(following: Successor, value: Any, settings: Sequence[Setting]) -> str:  # noqa: ANN401 - any
    for setting in settings:
        if (setting.process, setting.name) == (following.table, following.name):
            text = ",".join(value) if isinstance(value, list) else value
            return setting.problem(json.dumps(text) if isinstance(text, dict) else text)
    return ""


def _toml(value: Any) -> str:  # noqa: ANN401 - any
    """Return a value as TOML has it.

    Raises:
        TypeError: if it is none.
    """
    if isinstance(value, dict):
        items = (f"{json.dumps(str(key))} = {_toml(item)}" for key, item in value.items())
        return f"{{ {', '.join(items)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    raise TypeError
