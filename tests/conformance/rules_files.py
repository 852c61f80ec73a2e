"""The bytes of files, for browsers and downloads: `files/{path}`."""

from __future__ import annotations

import re
from functools import partial

from tests.conformance.given import Link, Thing
from tests.conformance.rule import Rule

_get = partial(Rule, method="GET")
_POLICY = "frame-ancestors 'self'; report-uri /api/security/csp-report; sandbox allow-scripts"
_OLD, _NEW = "Thu, 01 Jan 2015 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
_TEN: dict[str, Thing] = {"ten.bin": "0123456789"}
_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
_NO_RANGE: dict[str, str | re.Pattern[str] | None] = {
    "Content-Range": None,
    "Content-Length": "10",
}

_TYPES = {
    "x.txt": "text/plain; charset=UTF-8",
    "x.html": "text/html",
    "x.json": "application/json",
    "x.svg": "image/svg+xml",
    "x.css": "text/css",
    "x.csv": "text/csv",
    "x.tar.gz": "application/gzip",
    "x.svgz": "application/gzip",
    "x.bz2": "application/octet-stream",
    "x.Z": "application/octet-stream",
    "x.zzz": "application/octet-stream",
    "noextension": "application/octet-stream",
}


def _ranged(asked: str, body: str, content_range: str) -> Rule:
    return _get(
        f"the range {asked} is {content_range}",
        target="files/ten.bin",
        status=206,
        given=_TEN,
        sends={"Range": asked},
        headers={"Content-Range": f"bytes {content_range}/10", "Content-Length": str(len(body))},
        body=body.encode(),
    )


def _unranged(asked: str) -> Rule:
    return _get(
        f"the range {asked} is the whole",
        target="files/ten.bin",
        given=_TEN,
        sends={"Range": asked},
        headers=_NO_RANGE,
        body=b"0123456789",
    )


def _since(says: str, date: str, status: int, body: bytes) -> Rule:
    return _get(
        says,
        target="files/a.txt",
        status=status,
        sends={"If-Modified-Since": date},
        headers={"Last-Modified": _DATE},
        body=body,
    )


FILES = (
    _get(
        "a file is served in a sandbox",
        target="files/p.html",
        given={"p.html": "<script>1</script>"},
        headers={
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-cache",
            "Content-Disposition": None,
            "Content-Length": "18",
            "Content-Security-Policy": _POLICY,
            "Content-Type": "text/html",
            "Etag": None,
            "Last-Modified": _DATE,
            "X-Content-Type-Options": "nosniff",
        },
        body=b"<script>1</script>",
    ),
    Rule(
        "HEAD says all but the bytes",
        "HEAD",
        "files/p.html",
        given={"p.html": "<script>1</script>"},
        headers={
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-cache",
            "Content-Length": "18",
            "Content-Security-Policy": _POLICY,
            "Content-Type": "text/html",
            "Last-Modified": _DATE,
        },
    ),
    *(
        _get(
            f"{name} is {content_type}",
            target=f"files/{name}",
            given={name: "x"},
            headers={"Content-Type": content_type, "Content-Disposition": None},
            body=b"x",
        )
        for name, content_type in _TYPES.items()
    ),
    _get(
        "a notebook is downloaded",
        target="files/x.ipynb",
        given={"x.ipynb": "{"},
        headers={
            "Content-Type": "application/x-ipynb+json",
            "Content-Disposition": "attachment; filename*=utf-8''x.ipynb",
        },
        body=b"{",
    ),
    *(
        _get(
            f"a download is asked for by {query}",
            target=f"files/%C3%A9%20%27%22.txt?{query}",
            given={"é '\".txt": "x"},
            headers={"Content-Disposition": "attachment; filename*=utf-8''%C3%A9%20%27%22.txt"},
            body=b"x",
        )
        for query in ("download=1", "download=0", "download=&download=x")
    ),
    _get(
        "a download is not asked for by nothing",
        target="files/a.txt?download=",
        headers={"Content-Disposition": None},
        body=b"abc\n",
    ),
    _get(
        "what has a version may be kept",
        target="files/a.txt?v=1",
        headers={"Cache-Control": re.compile(r".*max-age=315360000")},
        body=b"abc\n",
    ),
    _get(
        "an empty file is empty",
        target="files/x",
        given={"x": ""},
        body=b"",
        headers={"Content-Length": "0"},
    ),
    _get("a slash may be encoded", target="files/d%2Fc.txt", body=b"in d"),
    _get("a link is followed", target="files/l", given={"l": Link("d/c.txt")}, body=b"in d"),
    _get(
        "a link out of the root is served",
        target="files/l",
        given={"l": Link("../secret.txt")},
        body=b"CANARY",
    ),
    _get("what is not listed is served", target="files/m.pyc", given={"m.pyc": "x"}, body=b"x"),
    _get("a notebook need not be readable", target="files/broken.ipynb", body=b"{"),
    # Ranges.
    _ranged("bytes=0-0", "0", "0-0"),
    _ranged("bytes=2-4", "234", "2-4"),
    _ranged("bytes=7-", "789", "7-9"),
    _ranged("bytes=-3", "789", "7-9"),
    _ranged("bytes=5-99", "56789", "5-9"),
    _unranged("bytes=0-"),
    _unranged("bytes=0-9"),
    _unranged("bytes=-10"),
    _unranged("bytes=0-99"),
    _unranged("bytes=0-0,2-3"),
    _unranged("bytes=x-y"),
    _unranged("bytes=-"),
    _unranged("lines=0-1"),
    _unranged("bytes"),
    Rule(
        "HEAD of a range says its length",
        "HEAD",
        "files/ten.bin",
        206,
        given=_TEN,
        sends={"Range": "bytes=2-4"},
        headers={"Content-Range": "bytes 2-4/10", "Content-Length": "3"},
    ),
    # Conditions.
    _since("what is unchanged is not sent", _NEW, 304, b""),
    _since("what is changed is sent", _OLD, 200, b"abc\n"),
    _since("a date that is none does not count", "yesterday", 200, b"abc\n"),
    _get(
        "an unchanged file has no range",
        target="files/a.txt",
        status=304,
        sends={"If-Modified-Since": _NEW, "Range": "bytes=0-0"},
        headers={"Content-Type": None},
    ),
    _get(
        "a tag does not count: there are none",
        target="files/a.txt",
        sends={"If-None-Match": '"x"'},
        body=b"abc\n",
    ),
)
