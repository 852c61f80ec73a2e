"""What lies in the tree before a request, and after it."""

from __future__ import annotations

import enum
import json
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Kind(enum.Enum):
    """Something that is no ordinary file."""

    DIRECTORY = enum.auto()
    FIFO = enum.auto()
    SOCKET = enum.auto()
    NOTHING = enum.auto()
    READ_ONLY = enum.auto()
    """A directory that cannot be written."""
    CLOSED = enum.auto()
    """A directory that cannot even be listed."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    to: str


@dataclass(frozen=True, slots=True)
class Mode:
    """A file with these permission bits."""

    bits: int
    text: str = "abc\n"


Thing = bytes | str | dict[str, object] | Kind | Link | Mode
"""Bytes, a text, an object that is stored as JSON, or one of the above."""


def put(root: Path, things: Mapping[str, Thing]) -> None:
    """Lay things into a tree, and directories around them."""
    for name, thing in things.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        match thing:
            case Kind.DIRECTORY:
                place.mkdir(exist_ok=True)
            case Kind.READ_ONLY:
                place.mkdir(exist_ok=True)
                place.chmod(0o555)
            case Kind.CLOSED:
                place.mkdir(0o000)
            case Kind.FIFO:
                os.mkfifo(place)
            case Kind.SOCKET:
                _make_socket(place)
            case Kind.NOTHING:
                place.unlink(missing_ok=True)
            case Link():
                place.symlink_to(thing.to)
            case Mode():
                place.write_text(thing.text)
                place.chmod(thing.bits)
            case _:
                place.write_bytes(_bytes_of(thing))


def expect(root: Path, things: Mapping[str, Thing]) -> None:
    """Check that these things lie in a tree."""
    for name, thing in things.items():
        place = root / name
        match thing:
            case Kind.NOTHING:
                assert not os.path.lexists(place), name
            case Kind.DIRECTORY:
                assert place.is_dir(), name
            case Link():
                assert str(place.readlink()) == thing.to
            case dict():
                assert json.loads(place.read_bytes()) == thing
            case _:
                assert place.read_bytes() == _bytes_of(thing), name


def open_up(root: Path) -> None:
    """Let what was forbidden be removed."""
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Return every path of a tree, and the texts beside it, with their bytes."""
    found = {
        str(path.relative_to(root)): path.read_bytes() if _is_readable(path) else None
        for path in sorted(root.rglob("*"))
        if ".ipynb_checkpoints" not in path.parts
    }
    beside = {path.name: None for path in root.parent.iterdir() if path.suffix == ".txt"}
    return found | {f"../{name}": value for name, value in beside.items()}


def _is_readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)


def _bytes_of(thing: Thing) -> bytes:
    match thing:
        case bytes():
            return thing
        case str():
            return thing.encode()
        case _:
            return json.dumps(thing).encode()


def _make_socket(place: Path) -> None:
    # The name of a socket is short, whatever the place of the tree.
    fd = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{fd}/{place.name}")
    finally:
        os.close(fd)
