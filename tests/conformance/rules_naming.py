"""How the server names what it creates and copies: `POST api/contents/{path}`."""

from __future__ import annotations

import json
import re
from functools import partial

from tests.conformance.given import Kind, Link, Thing
from tests.conformance.rule import Rule
from tests.conformance.samples import NOTEBOOK, OLD

_post = partial(Rule, method="POST", status=201)
_BARE = {"content": None, "format": None}
_KEPT = "d/.ipynb_checkpoints/{}-checkpoint.ipynb"
_EMPTY_NOTEBOOK = '{\n "cells": [],\n "metadata": {},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n'


def _named(says: str, json: dict[str, object], path: str, *taken: str) -> Rule:
    """In `d`, where names are taken, a request gives another one."""
    return _post(
        says,
        target="api/contents/d",
        json=json,
        given={f"d/{name}": "" for name in taken},
        model={"path": f"d/{path}"},
    )


def _copied(says: str, source: str, name: str, *taken: str) -> Rule:
    """In `d`, where names are taken, the copy of a file gets another one."""
    given: dict[str, Thing] = {f"d/{one}": "" for one in taken}
    content: Thing = NOTEBOOK if source.endswith(".ipynb") else "copied"
    return _post(
        says,
        target="api/contents/d",
        json={"copy_from": source},
        given=given | {source: content},
        model={"path": f"d/{name}", "name": name, **_BARE},
        headers={"Location": f"/api/contents/d/{name}"},
        leaves={source: content, f"d/{name}": content},
    )


NAMING = (
    # Untitled.
    _post(
        "an empty body creates an untitled file",
        target="api/contents/d",
        model={"path": "d/untitled", "type": "file", "size": 0, "mimetype": None, **_BARE},
        headers={"Location": "/api/contents/d/untitled", "Last-Modified": re.compile(".* GMT")},
        leaves={"d/untitled": ""},
    ),
    _named("an empty object creates an untitled file", {}, "untitled"),
    _post(
        "null creates an untitled file",
        target="api/contents/d",
        raw=b"null",
        model={"path": "d/untitled", "type": "file"},
    ),
    _named("the root takes the number after the name", {}, "untitled2", "untitled", "untitled1"),
    _named("a gap in the numbers is used", {}, "untitled1", "untitled", "untitled2"),
    _named("a name is taken by whatever has it", {}, "untitled1", "untitled/x"),
    _named("an extension is appended as it is", {"ext": "txt"}, "untitledtxt"),
    _named("the number goes before the extension", {"ext": ".py"}, "untitled1.py", "untitled.py"),
    _named(
        "the number goes before the first dot",
        {"ext": ".tar.gz"},
        "untitled1.tar.gz",
        "untitled.tar.gz",
    ),
    _named("what is not for new entries is ignored", {"content": "x", "path": "y"}, "untitled"),
    _named("an unknown type means a file", {"type": "other", "ext": ".x"}, "untitled.x"),
    _named("a type that is empty is none", {"type": "", "ext": ".ipynb"}, "Untitled.ipynb"),
    _named(
        "a notebook is one whatever the extension",
        {"type": "notebook", "ext": ".x"},
        "Untitled.ipynb",
    ),
    _named(
        "a file may have the extension of a notebook",
        {"type": "file", "ext": ".ipynb"},
        "untitled.ipynb",
    ),
    _post(
        "what is called as a notebook is one",
        target="api/contents/d",
        json={"type": "file", "ext": ".ipynb"},
        model={"path": "d/untitled.ipynb", "type": "notebook", "size": 0, **_BARE},
        leaves={"d/untitled.ipynb": ""},
    ),
    _named("notebooks are numbered", {"type": "notebook"}, "Untitled1.ipynb", "Untitled.ipynb"),
    _named(
        "a directory may have an extension, and is numbered before it",
        {"type": "directory", "ext": ".x.y"},
        "Untitled Folder 1.x.y",
        "Untitled Folder.x.y",
    ),
    _named(
        "directories are numbered after a space",
        {"type": "directory"},
        "Untitled Folder 1",
        "Untitled Folder",
    ),
    _post(
        "a new notebook is empty, and has a checkpoint",
        target="api/contents/d",
        json={"type": "notebook"},
        model={"path": "d/Untitled.ipynb", "type": "notebook", "mimetype": None, **_BARE},
        headers={"Location": "/api/contents/d/Untitled.ipynb"},
        leaves={"d/Untitled.ipynb": _EMPTY_NOTEBOOK, _KEPT.format("Untitled"): _EMPTY_NOTEBOOK},
    ),
    _post(
        "a new directory is one, and its Location is encoded",
        target="api/contents",
        json={"type": "directory"},
        model={"path": "Untitled Folder", "type": "directory", "size": None, **_BARE},
        headers={"Location": "/api/contents/Untitled%20Folder"},
        leaves={"Untitled Folder": Kind.DIRECTORY},
    ),
    _post(
        "the root may be told with a slash",
        target="api/contents/",
        json={"type": "file"},
        model={"path": "untitled"},
        headers={"Location": "/api/contents/untitled"},
    ),
    _post(
        "an entry is created through a link",
        target="api/contents/link",
        json={"type": "file"},
        given={"link": Link("d")},
        model={"path": "link/untitled"},
        leaves={"d/untitled": ""},
    ),
    # Copies of files.
    _copied("a copy keeps its name where that is free", "x.txt", "x.txt"),
    _copied("a copy is numbered", "x.txt", "x-Copy1.txt", "x.txt"),
    _copied("copies are numbered on", "x.txt", "x-Copy2.txt", "x.txt", "x-Copy1.txt"),
    _copied("a copy of a copy counts on", "d/x-Copy2.txt", "x-Copy1.txt", "x.txt"),
    _copied("a copy of a copy may take the first name", "d/x-Copy2.txt", "x.txt"),
    _copied("a copy of a numberless copy counts on", "d/x-Copy.txt", "x-Copy1.txt", "x.txt"),
    _copied(
        "the number of a copy goes before the first dot", "x.tar.gz", "x-Copy1.tar.gz", "x.tar.gz"
    ),
    _copied("a notebook's goes before the last dot", "a.b.ipynb", "a.b-Copy1.ipynb", "a.b.ipynb"),
    _copied("a copy without a dot is numbered at its end", "x", "x-Copy1", "x"),
    _copied("a directory in the source is no part of the name", "o/x.txt", "x.txt"),
    _post(
        "slashes around the source do not count",
        target="api/contents/d",
        json={"copy_from": "/a.txt/"},
        model={"path": "d/a.txt"},
        leaves={"d/a.txt": "abc\n"},
    ),
    _post(
        "a copy beside its source is numbered",
        target="api/contents",
        json={"copy_from": "a.txt"},
        model={"path": "a-Copy1.txt"},
        leaves={"a-Copy1.txt": "abc\n"},
    ),
    _post(
        "a copy may be given its name",
        target="api/contents/d/other.txt",
        json={"copy_from": "a.txt"},
        model={"path": "d/other.txt"},
        headers={"Location": "/api/contents/d/other.txt"},
        leaves={"d/other.txt": "abc\n", "a.txt": "abc\n"},
    ),
    _post(
        "a copy of bytes has the same bytes",
        target="api/contents/d",
        json={"copy_from": "bin.dat"},
        model={"path": "d/bin.dat", "size": 256},
        leaves={"d/bin.dat": bytes(range(256))},
    ),
    _post(
        "a copy of a notebook has a checkpoint",
        target="api/contents/d",
        json={"copy_from": "n.ipynb"},
        model={"type": "notebook"},
        leaves={_KEPT.format("n"): NOTEBOOK},
    ),
    _post(
        "an unreadable notebook is copied too",
        target="api/contents/d",
        json={"copy_from": "broken.ipynb"},
        model={"path": "d/broken.ipynb"},
        leaves={"d/broken.ipynb": "{"},
    ),
    _post(
        "what a link leads to is copied",
        target="api/contents/d",
        json={"copy_from": "link.txt"},
        given={"link.txt": Link("a.txt")},
        model={"path": "d/link.txt"},
        leaves={"d/link.txt": "abc\n"},
    ),
    _post(
        "a copy of an old notebook is as old",
        target="api/contents/d",
        json={"copy_from": "old.ipynb"},
        given={"old.ipynb": OLD},
        model={"path": "d/old.ipynb", "type": "notebook"},
        leaves={"d/old.ipynb": json.dumps(OLD), "old.ipynb": json.dumps(OLD)},
    ),
    # Copies of directories.
    _post(
        "a directory is copied with what it holds",
        target="api/contents/to",
        json={"copy_from": "d"},
        given={"to": Kind.DIRECTORY, "d/e/n.ipynb": NOTEBOOK, "d/.hidden": "h"},
        model={"path": "to/d", "type": "directory", **_BARE},
        headers={"Location": "/api/contents/to/d"},
        leaves={"to/d/c.txt": "in d", "to/d/e/n.ipynb": NOTEBOOK, "to/d/.hidden": "h"},
    ),
    _post(
        "a copy of a directory is numbered",
        target="api/contents",
        json={"copy_from": "d"},
        given={"d-Copy1": Kind.DIRECTORY},
        model={"path": "d-Copy2"},
        leaves={"d-Copy2/c.txt": "in d", "d/c.txt": "in d"},
    ),
    _post(
        "an empty directory is copied",
        target="api/contents",
        json={"copy_from": "d/e"},
        model={"path": "e", "type": "directory"},
        leaves={"e": Kind.DIRECTORY},
    ),
    _post(
        "a directory is copied into one that is not there yet",
        target="api/contents/new/to",
        json={"copy_from": "d"},
        model={"type": "directory"},
        leaves={"new/to/d/c.txt": "in d"},
    ),
)
