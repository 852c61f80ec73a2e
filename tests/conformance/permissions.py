"""What the file system forbids. The superuser is forbidden nothing: then both tables are empty."""

from __future__ import annotations

import os
import tempfile

from tests.conformance.given import Kind, Mode
from tests.conformance.routes import EMPTY_TEXT
from tests.conformance.row import Row
from tests.conformance.rule import Rule


def _is_bound() -> bool:
    with tempfile.NamedTemporaryFile() as file:
        os.fchmod(file.fileno(), 0)
        return not os.access(file.name, os.R_OK)


_SECRET = {"s.txt": Mode(0o000)}
_READ_ONLY = {"r.txt": Mode(0o444)}
_CLOSED = {"z": Kind.CLOSED}

_FORBIDDEN = (
    Row("read-forbidden", "GET", "api/contents/s.txt", 403, given=_SECRET),
    Row("read-forbidden-notebook", "GET", "api/contents/s.ipynb", 403, given={"s.ipynb": Mode(0)}),
    Row("hash-forbidden", "GET", "api/contents/s.txt?content=0&hash=1", 403, given=_SECRET),
    Row(
        "copy-forbidden", "POST", "api/contents/d", 403, json={"copy_from": "s.txt"}, given=_SECRET
    ),
    Row("file-forbidden", "GET", "files/s.txt", 403, "html", given=_SECRET),
    Row("write-read-only", "PUT", "api/contents/r.txt", 403, json=EMPTY_TEXT, given=_READ_ONLY),
    Row(
        "append-read-only",
        "PUT",
        "api/contents/r.txt",
        403,
        json={**EMPTY_TEXT, "chunk": 2},
        given=_READ_ONLY,
    ),
    Row("delete-read-only", "DELETE", "api/contents/r.txt", 403, given=_READ_ONLY),
    Row(
        "checkpoint-in-read-only",
        "POST",
        "api/contents/r/a.txt/checkpoints",
        403,
        given={"r/a.txt": "x", "r": Kind.READ_ONLY},
    ),
    Row("list-closed", "GET", "api/contents/z", 403, given=_CLOSED),
    Row("create-in-closed", "POST", "api/contents/z", 403, json={"type": "file"}, given=_CLOSED),
    Row("write-in-closed", "PUT", "api/contents/z/x.txt", 403, json=EMPTY_TEXT, given=_CLOSED),
    Row(
        "rename-into-closed",
        "PATCH",
        "api/contents/a.txt",
        403,
        json={"path": "z/a.txt"},
        given=_CLOSED,
    ),
)
_SHOWN = (
    Rule(
        "what cannot be read can be seen",
        "GET",
        "api/contents/s.txt?content=0",
        given=_SECRET,
        model={"size": 4, "writable": False},
    ),
    Rule(
        "what is read-only is said to be so",
        "GET",
        "api/contents/r.txt",
        given=_READ_ONLY,
        model={"content": "abc\n", "writable": False},
    ),
    Rule(
        "a directory that cannot be written is said to be so",
        "GET",
        "api/contents/r?content=0",
        given={"r": Kind.READ_ONLY},
        model={"type": "directory", "writable": False},
    ),
)

FORBIDDEN: tuple[Row, ...] = _FORBIDDEN if _is_bound() else ()
SHOWN: tuple[Rule, ...] = _SHOWN if _is_bound() else ()
