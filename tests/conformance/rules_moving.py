"""What moving and deleting do: `PATCH` and `DELETE api/contents/{path}`."""

from __future__ import annotations

import re
from functools import partial

from tests.conformance.client import TIME
from tests.conformance.given import Kind, Link
from tests.conformance.rule import Rule

_move = partial(Rule, method="PATCH")
_delete = partial(Rule, method="DELETE", status=204)
_KEPT = ".ipynb_checkpoints/{}-checkpoint.txt"

MOVING = (
    _move(
        "a file is moved",
        target="api/contents/a.txt",
        json={"path": "d/b.txt"},
        model={"path": "d/b.txt", "name": "b.txt", "content": None, "last_modified": TIME},
        headers={"Location": "/api/contents/d/b.txt", "Last-Modified": re.compile(".* GMT")},
        leaves={"a.txt": Kind.NOTHING, "d/b.txt": "abc\n"},
    ),
    _move(
        "slashes around the new path do not count",
        target="api/contents/a.txt",
        json={"path": "/d/b.txt/"},
        model={"path": "d/b.txt"},
        leaves={"d/b.txt": "abc\n"},
    ),
    _move(
        "a directory is moved with what it holds",
        target="api/contents/d",
        json={"path": "z"},
        model={"path": "z", "type": "directory"},
        headers={"Location": "/api/contents/z"},
        leaves={"d": Kind.NOTHING, "z/c.txt": "in d", "z/e": Kind.DIRECTORY},
    ),
    _move(
        "the same path changes nothing",
        target="api/contents/a.txt",
        json={"path": "a.txt"},
        model={"path": "a.txt"},
        leaves={"a.txt": "abc\n"},
    ),
    _move(
        "no path changes nothing",
        target="api/contents/a.txt",
        json={"name": "b.txt"},
        model={"path": "a.txt"},
        leaves={"a.txt": "abc\n"},
    ),
    _move(
        "a checkpoint follows its file",
        target="api/contents/a.txt",
        json={"path": "d/b.txt"},
        given={_KEPT.format("a"): "old"},
        model={"path": "d/b.txt"},
        leaves={"d/" + _KEPT.format("b"): "old", _KEPT.format("a"): Kind.NOTHING},
    ),
    _move(
        "a file may become a notebook",
        target="api/contents/a.txt",
        json={"path": "x.ipynb"},
        model={"path": "x.ipynb", "type": "notebook", "mimetype": None},
        leaves={"x.ipynb": "abc\n"},
    ),
    _move(
        "a link is moved, not what it leads to",
        target="api/contents/link.txt",
        json={"path": "other.txt"},
        given={"link.txt": Link("d/c.txt")},
        model={"path": "other.txt"},
        leaves={"other.txt": Link("d/c.txt"), "link.txt": Kind.NOTHING, "d/c.txt": "in d"},
    ),
    _move(
        "a link to nothing is moved",
        target="api/contents/link.txt",
        json={"path": "other.txt"},
        given={"link.txt": Link("nowhere")},
        model={"path": "other.txt", "type": "file", "size": 7},
        leaves={"other.txt": Link("nowhere"), "link.txt": Kind.NOTHING},
    ),
    _delete(
        "a link to nothing is deleted",
        target="api/contents/link.txt",
        given={"link.txt": Link("nowhere")},
        leaves={"link.txt": Kind.NOTHING},
    ),
    _move(
        "an unreadable notebook is moved",
        target="api/contents/broken.ipynb",
        json={"path": "d/x.ipynb"},
        model={"type": "notebook"},
        leaves={"d/x.ipynb": "{"},
    ),
    _delete(
        "a file is deleted",
        target="api/contents/a.txt",
        headers={"Content-Type": None, "Location": None},
        leaves={"a.txt": Kind.NOTHING},
    ),
    _delete(
        "an empty directory is deleted", target="api/contents/d/e", leaves={"d/e": Kind.NOTHING}
    ),
    _delete("a full directory is deleted", target="api/contents/d", leaves={"d": Kind.NOTHING}),
    _delete(
        "a checkpoint goes with its file",
        target="api/contents/a.txt",
        given={_KEPT.format("a"): "old"},
        leaves={_KEPT.format("a"): Kind.NOTHING},
    ),
    _delete(
        "a link is deleted, not what it leads to",
        target="api/contents/link.txt",
        given={"link.txt": Link("d/c.txt")},
        leaves={"link.txt": Kind.NOTHING, "d/c.txt": "in d"},
    ),
    _delete(
        "a link to a directory is deleted, not what that holds",
        target="api/contents/link",
        given={"link": Link("d")},
        leaves={"link": Kind.NOTHING, "d/c.txt": "in d"},
    ),
    _delete(
        "an unreadable notebook is deleted",
        target="api/contents/broken.ipynb",
        leaves={"broken.ipynb": Kind.NOTHING},
    ),
)
