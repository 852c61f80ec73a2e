"""What writing an entry does: `PUT api/contents/{path}`."""

from __future__ import annotations

import re
from functools import partial

from tests.conformance.client import TIME
from tests.conformance.given import Kind, Link
from tests.conformance.rule import Rule
from tests.conformance.samples import NOTEBOOK

_put = partial(Rule, method="PUT")
_new = partial(_put, status=201)
_BARE = {"content": None, "format": None}
_TEXT = {"type": "file", "format": "text", "content": "x"}
_NOTEBOOK = {"type": "notebook", "format": "json", "content": NOTEBOOK}
_KEPT = ".ipynb_checkpoints/{}-checkpoint.ipynb"
_DATE = re.compile(r".* GMT")

_BASE64 = {
    "AA@@ECAw==": b"\0\1\2\3",
    "AAEC=": b"\0\1\2",
    "AAE=CAw=": b"\0\1",
    "AA==AAEC": b"\0",
    "====": b"",
    "=AAEC": b"\0\1\2",
    "AAEC====": b"\0\1\2",
    "\n\nAAEC\n": b"\0\1\2",
    "A=A=E=C=": b"\0\1",
    "\0AAE\tC": b"\0\1\2",
}
"""What base64 with strange letters in it is: what Python takes it for."""

WRITING = (
    # Files.
    _new(
        "a new file is 201 and says where it is",
        target="api/contents/d/n.txt",
        json=_TEXT,
        model={"path": "d/n.txt", "size": 1, "mimetype": "text/plain", "type": "file", **_BARE},
        headers={"Location": "/api/contents/d/n.txt", "Last-Modified": _DATE},
        leaves={"d/n.txt": "x"},
    ),
    _put(
        "an existing file is 200 and says where it is",
        target="api/contents/a.txt",
        json=_TEXT,
        model={"path": "a.txt", "last_modified": TIME, "hash": None, **_BARE},
        headers={"Location": "/api/contents/a.txt", "Last-Modified": _DATE},
        leaves={"a.txt": "x"},
    ),
    _new(
        "a Location has every segment encoded",
        target="api/contents/d/%C3%A9%20%25~_.-%27%28%26%3D%2B%3B%2C%40%3A%24%21%2A.txt",
        json=_TEXT,
        headers={
            "Location": "/api/contents/d/%C3%A9%20%25~_.-%27%28%26%3D%2B%3B%2C%40%3A%24%21%2A.txt"
        },
        model={},
        leaves={"d/é %~_.-'(&=+;,@:$!*.txt": "x"},
    ),
    _new(
        "a path with an encoded slash is two segments",
        target="api/contents/d%2Fn.txt",
        json=_TEXT,
        model={"path": "d/n.txt"},
        headers={"Location": "/api/contents/d/n.txt"},
        leaves={"d/n.txt": "x"},
    ),
    _new(
        "text is stored as it is",
        target="api/contents/n.txt",
        json=_TEXT | {"content": "\ufeffä\r\nb\rc\u2028\x00"},
        model={},
        leaves={"n.txt": "\ufeffä\r\nb\rc\u2028\x00"},
    ),
    _new(
        "what the body is said to be does not count",
        target="api/contents/n.txt",
        json=_TEXT,
        sends={"Content-Type": "text/plain; charset=latin-1"},
        model={},
        leaves={"n.txt": "x"},
    ),
    _new(
        "base64 may have lines, and none at its end",
        target="api/contents/n.bin",
        json={"type": "file", "format": "base64", "content": "AAEC\r\n AwQ=\n"},
        model={"mimetype": "application/octet-stream"},
        leaves={"n.bin": b"\x00\x01\x02\x03\x04"},
    ),
    *(
        _new(
            f"base64 {text!r} is {data!r}",
            target="api/contents/n.bin",
            json={"type": "file", "format": "base64", "content": text},
            model={"size": len(data)},
            leaves={"n.bin": data},
        )
        for text, data in _BASE64.items()
    ),
    _new(
        "what is written twice in the body counts as it is last",
        target="api/contents/n.txt",
        raw=b' {"type": "file", "content": "a", "format": "text", "content": "b"}\n',
        model={},
        leaves={"n.txt": "b"},
    ),
    _new(
        "a character may be written in any way",
        target="api/contents/n.txt",
        raw=b'{"type": "file", "format": "text", "content": "\\u00e9\\/\\ud83d\\ude00\xc3\xa9"}',
        model={},
        leaves={"n.txt": "é/\U0001f600é"},
    ),
    _new(
        "content that is null is none",
        target="api/contents/n.txt",
        json=_TEXT | {"content": None},
        model={"size": 0},
        leaves={"n.txt": ""},
    ),
    _new(
        "base64 without content is an empty file",
        target="api/contents/n.bin",
        json={"type": "file", "format": "base64", "content": ""},
        model={"size": 0},
        leaves={"n.bin": b""},
    ),
    _new(
        "a new file without a type is one",
        target="api/contents/n.txt",
        json={"format": "text", "content": "x"},
        model={"type": "file"},
        leaves={"n.txt": "x"},
    ),
    _new(
        "a type that is null is none",
        target="api/contents/n.txt",
        json=_TEXT | {"type": None},
        model={"type": "file"},
        leaves={"n.txt": "x"},
    ),
    _new(
        "a new file without a type is a notebook by its name",
        target="api/contents/x.ipynb",
        json={"content": NOTEBOOK},
        model={"type": "notebook", **_BARE},
        leaves={"x.ipynb": NOTEBOOK, _KEPT.format("x"): NOTEBOOK},
    ),
    _new(
        "an unknown type means a file",
        target="api/contents/n.txt",
        json=_TEXT | {"type": "other"},
        model={"type": "file"},
        leaves={"n.txt": "x"},
    ),
    _new(
        "a new file without content is empty",
        target="api/contents/n.txt",
        json={"type": "file"},
        model={"size": 0},
        leaves={"n.txt": ""},
    ),
    _new(
        "a name and a path in the body do not count",
        target="api/contents/n.txt",
        json=_TEXT | {"name": "other.txt", "path": "other.txt"},
        model={"path": "n.txt", "name": "n.txt"},
        leaves={"n.txt": "x", "other.txt": Kind.NOTHING},
    ),
    _new(
        "a hidden path in the body does not count either",
        target="api/contents/n.txt",
        json=_TEXT | {"path": ".n.txt"},
        model={"path": "n.txt"},
        leaves={"n.txt": "x", ".n.txt": Kind.NOTHING},
    ),
    _new(
        "what nobody knows in the body is ignored",
        target="api/contents/n.txt",
        json=_TEXT | {"contentProviderId": "x", "mimetype": None, "writable": True, "x": [1]},
        model={},
        leaves={"n.txt": "x"},
    ),
    _new(
        "no copy is meant by an empty copy_from",
        target="api/contents/n.txt",
        json=_TEXT | {"copy_from": None},
        model={},
        leaves={"n.txt": "x"},
    ),
    _put(
        "a notebook may be written as a file and stays one",
        target="api/contents/n.ipynb",
        json=_TEXT,
        model={"type": "notebook"},
        leaves={"n.ipynb": "x"},
    ),
    _put(
        "what a link leads to is written",
        target="api/contents/link.txt",
        json=_TEXT,
        given={"link.txt": Link("d/c.txt")},
        model={"path": "link.txt"},
        leaves={"link.txt": Link("d/c.txt"), "d/c.txt": "x"},
    ),
    _new(
        "below a link is below what it leads to",
        target="api/contents/link/n.txt",
        json=_TEXT,
        given={"link": Link("d")},
        model={"path": "link/n.txt"},
        leaves={"d/n.txt": "x"},
    ),
    # Directories.
    _new(
        "a directory is made",
        target="api/contents/d/n",
        json={"type": "directory"},
        model={"path": "d/n", "type": "directory", "size": None, **_BARE},
        headers={"Location": "/api/contents/d/n"},
        leaves={"d/n": Kind.DIRECTORY},
    ),
    _new(
        "a directory that exists is 201 and stays",
        target="api/contents/d",
        json={"type": "directory"},
        model={"type": "directory"},
        leaves={"d/c.txt": "in d"},
    ),
    _new(
        "the content of a directory is ignored",
        target="api/contents/d/n",
        json={"type": "directory", "format": "json", "content": [{"name": "x"}]},
        model={"type": "directory"},
        leaves={"d/n": Kind.DIRECTORY},
    ),
    # Nothing to write.
    *(
        _new(
            f"{body!r} creates an untitled file",
            target="api/contents/d",
            raw=body,
            model={"path": "d/untitled"},
            headers={"Location": "/api/contents/d/untitled"},
            leaves={"d/untitled": ""},
        )
        for body in (b"", b"null", b"{}", b" { }\n")
    ),
    # Parts.
    _new(
        "the first part of a new file is 201",
        target="api/contents/n.txt",
        json=_TEXT | {"chunk": 1},
        model={"path": "n.txt"},
        leaves={"n.txt": "x"},
    ),
    _put(
        "a notebook may come in parts, as a file",
        target="api/contents/n.ipynb",
        json=_TEXT | {"chunk": 1},
        model={"type": "notebook"},
        leaves={"n.ipynb": "x"},
    ),
    _put(
        "what a link leads to is appended to",
        target="api/contents/l",
        json=_TEXT | {"chunk": 2},
        given={"l": Link("d/c.txt")},
        model={"path": "l"},
        leaves={"l": Link("d/c.txt"), "d/c.txt": "in dx"},
    ),
    _put(
        "the first part empties a file",
        target="api/contents/a.txt",
        json=_TEXT | {"chunk": 1},
        model={"size": 1},
        leaves={"a.txt": "x"},
    ),
    *(
        _put(
            f"part {chunk} is appended",
            target="api/contents/a.txt",
            json={"type": "file", "format": "base64", "content": "eHk=", "chunk": chunk},
            model={"size": 6, "type": "file", **_BARE},
            headers={"Location": "/api/contents/a.txt"},
            leaves={"a.txt": "abc\nxy"},
        )
        for chunk in (2, 99, 0, -1, -7)
    ),
    _put(
        "a chunk that is null is none",
        target="api/contents/a.txt",
        json=_TEXT | {"chunk": None},
        model={},
        leaves={"a.txt": "x"},
    ),
)
