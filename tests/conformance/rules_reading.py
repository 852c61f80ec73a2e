"""What reading an entry answers: `GET api/contents/{path}`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import partial

from tests.conformance.client import TIME
from tests.conformance.given import Kind, Link
from tests.conformance.rule import Rule
from tests.conformance.samples import NOTEBOOK

_read = partial(Rule, method="GET")
_HTTP_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
_BARE = {"content": None, "format": None}


def _lines(data: bytes) -> str:
    return base64.encodebytes(data).decode()


READING = (
    _read(
        "a file has text, and every header",
        target="api/contents/d/c.txt",
        model={"content": "in d", "format": "text", "mimetype": "text/plain", "size": 4},
        headers={
            "Last-Modified": _HTTP_DATE,
            "Location": None,
            "X-Content-Type-Options": "nosniff",
        },
    ),
    _read(
        "contents have no tag",
        target="api/contents/a.txt",
        model={},
        headers={"Etag": None},
    ),
    _read(
        "a notebook is a text for who asks for a file",
        target="api/contents/broken.ipynb?type=file&format=base64",
        model={"type": "file", "content": _lines(b"{"), "format": "base64"},
    ),
    _read(
        "a file is a notebook for who asks for one",
        target="api/contents/a.txt?type=notebook&content=0",
        model={"type": "notebook", "mimetype": None, **_BARE},
    ),
    _read(
        "an empty file is an empty text",
        target="api/contents/x.txt",
        given={"x.txt": ""},
        model={"content": "", "format": "text", "size": 0},
    ),
    _read(
        "text is not translated",
        target="api/contents/x.txt",
        given={"x.txt": "\ufeffa\r\nb\rc\u2028\x00\x7f"},
        model={"content": "\ufeffa\r\nb\rc\u2028\x00\x7f", "format": "text"},
    ),
    _read(
        "bytes that are no UTF-8 are base64",
        target="api/contents/x.txt",
        given={"x.txt": b"caf\xe9\n"},
        model={"content": _lines(b"caf\xe9\n"), "format": "base64", "mimetype": "text/plain"},
    ),
    _read(
        "text may be asked for as base64",
        target="api/contents/a.txt?format=base64",
        model={"content": _lines(b"abc\n"), "format": "base64", "mimetype": "text/plain"},
    ),
    _read(
        "text that nobody knows is text/plain",
        target="api/contents/x.zzz",
        given={"x.zzz": "x"},
        model={"mimetype": "text/plain"},
    ),
    _read(
        "bytes that nobody knows are an octet-stream",
        target="api/contents/bin.zzz",
        given={"bin.zzz": b"\xff"},
        model={"mimetype": "application/octet-stream"},
    ),
    _read(
        "what nobody knows has no type without its content",
        target="api/contents/x.zzz?content=0",
        given={"x.zzz": "x"},
        model={"mimetype": None, "type": "file", "size": 1, **_BARE},
    ),
    _read(
        "a file has no content without content",
        target="api/contents/a.txt?content=0",
        model={"mimetype": "text/plain", "size": 4, "hash": None, "hash_algorithm": None, **_BARE},
        headers={"Last-Modified": _HTTP_DATE},
    ),
    _read(
        "a directory has no content without content",
        target="api/contents/d?content=0",
        model={"type": "directory", "size": None, "mimetype": None, **_BARE},
    ),
    _read(
        "a notebook has no content without content",
        target="api/contents/n.ipynb?content=0",
        model={"type": "notebook", "mimetype": None, **_BARE},
    ),
    _read(
        "the hash of a notebook is that of its bytes",
        target="api/contents/n.ipynb?hash=1",
        model={
            "hash": hashlib.sha256(json.dumps(NOTEBOOK).encode()).hexdigest(),
            "hash_algorithm": "sha256",
            "format": "json",
        },
    ),
    _read(
        "without being asked for there is no hash",
        target="api/contents/a.txt?hash=0",
        model={"hash": None, "hash_algorithm": None},
    ),
    _read(
        "an unknown type means a file",
        target="api/contents/n.ipynb?type=other",
        model={"type": "file", "format": "text", "content": json.dumps(NOTEBOOK)},
    ),
    _read(
        "a file may be asked for as a notebook",
        target="api/contents/nb.json?type=notebook",
        given={"nb.json": NOTEBOOK},
        model={"type": "notebook", "format": "json", "mimetype": None},
    ),
    _read(
        "a notebook has one format",
        target="api/contents/n.ipynb?format=text",
        model={"type": "notebook", "format": "json"},
    ),
    _read(
        "a directory has one format",
        target="api/contents/d?format=base64&type=directory",
        model={"type": "directory", "format": "json"},
    ),
    _read(
        "an empty directory has an empty list",
        target="api/contents/d/e",
        model={"content": [], "name": "e", "path": "d/e"},
    ),
    _read(
        "arguments that nobody knows are ignored",
        target="api/contents/a.txt?no_track_activity=1&x&1700000000000",
        model={"content": "abc\n"},
    ),
    _read(
        "spaces around an argument do not count",
        target="api/contents/a.txt?content=%200%20&hash=1+&format=%0Atext",
        model={"content": None, "hash_algorithm": "sha256"},
    ),
    _read(
        "of repeated arguments the last counts",
        target="api/contents/a.txt?content=x&content=0",
        model={"content": None},
    ),
    _read(
        "times have six digits even on the second",
        target="api/contents/d/c.txt",
        model={"last_modified": TIME, "created": TIME},
    ),
    # Paths.
    _read("a slash may be encoded", target="api/contents/d%2Fc.txt", model={"path": "d/c.txt"}),
    _read(
        "a plus is a plus",
        target="api/contents/a+b.txt",
        given={"a+b.txt": "x"},
        model={"path": "a+b.txt"},
    ),
    _read(
        "an escape is decoded once",
        target="api/contents/a%2520b.txt",
        given={"a%20b.txt": "x"},
        model={"path": "a%20b.txt", "name": "a%20b.txt"},
    ),
    _read(
        "names hold what they like",
        target="api/contents/%C3%A9%20%23%3F%26%3B%5C%22%0A.txt",
        given={'é #?&;\\"\n.txt': "x"},
        model={"path": 'é #?&;\\"\n.txt'},
    ),
    _read(
        "names are not normalised",
        target="api/contents/e%CC%81.txt",
        given={"e\u0301.txt": "two", "\u00e9.txt": "one"},
        model={"content": "two", "name": "e\u0301.txt"},
    ),
    _read(
        "a name may be as long as the file system has it",
        target="api/contents/" + "x" * 255,
        given={"x" * 255: "x"},
        model={"name": "x" * 255},
    ),
    # Links, and what is left out of listings but not hidden.
    _read(
        "a link is followed",
        target="api/contents/link.txt",
        given={"link.txt": Link("d/c.txt")},
        model={"content": "in d", "path": "link.txt", "type": "file"},
    ),
    _read(
        "a link has the size of what it leads to",
        target="api/contents/link.txt?content=0",
        given={"link.txt": Link("a.txt"), "a.txt": "much longer than the link"},
        model={"size": 25},
    ),
    _read(
        "a link to a directory is one",
        target="api/contents/link",
        given={"link": Link("d/e"), "d/e/f.txt": "x"},
        model={"type": "directory", "path": "link"},
    ),
    *(
        _read(
            f"a link to {to} is one itself",
            target="api/contents/link?content=0",
            given={"link": Link(to)},
            model={"type": "file", "path": "link", "size": len(to), **_BARE},
        )
        for to in ("nowhere", "d/nowhere", "/dev/null")
    ),
    _read(
        "a path goes through links",
        target="api/contents/link/c.txt",
        given={"link": Link("d")},
        model={"content": "in d", "path": "link/c.txt"},
    ),
    _read(
        "a link may lead out of the root",
        target="api/contents/link.txt",
        given={"link.txt": Link("../secret.txt")},
        model={"content": "CANARY"},
    ),
    *(
        _read(
            f"{name} is not listed but can be read",
            target=f"api/contents/{name}",
            given={name: "x"},
            model={"content": "x"},
        )
        for name in ("m.pyc", "m.pyo", "m.txt~")
    ),
    _read(
        "a directory that is not listed can be read",
        target="api/contents/__pycache__",
        given={"__pycache__": Kind.DIRECTORY},
        model={"content": []},
    ),
)
