"""What users store may be a page with a script: it never runs as if it were the server's own."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.raw_http import ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.raw_http import RawAnswer
    from tests.running import RunningPerijove

SCRIPT = "<script>fetch('/api/contents')</script>"
SANDBOX = "frame-ancestors 'self'; report-uri /api/security/csp-report; sandbox allow-scripts"
OWN = "frame-ancestors 'self'; report-uri /api/security/csp-report"
API = OWN + "; default-src 'none'"

FILES = {
    "p.html": "text/html",
    "p.htm": "text/html",
    "p.xhtml": "application/xhtml+xml",
    "p.svg": "image/svg+xml",
    "p.xml": None,  # `text/xml` or `application/xml`, as the system has it
    "p.js": None,
    "p.txt": "text/plain; charset=UTF-8",
    "p": "application/octet-stream",
    "p.unknown": "application/octet-stream",
    "p.html.gz": "application/gzip",
    "p.ipynb": "application/x-ipynb+json",
    "p.css": "text/css",
    "p.pdf": "application/pdf",
    "p.json": "application/json",
}
NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": SCRIPT},
        {
            "cell_type": "code",
            "execution_count": 1,
            "id": "c",
            "metadata": {"trusted": True},
            "outputs": [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT}}
            ],
            "source": SCRIPT,
        },
    ],
    "metadata": {"title": SCRIPT},
    "nbformat": 4,
    "nbformat_minor": 5,
}
EVIL_NAMES = [
    f"{SCRIPT.replace('/', '')}.html",
    '"><img src=x onerror=alert(1)>.html',
    "'onload='alert(1).html",
    "a\r\nContent-Type: text\r\n\r\nx.html",
    "<title><svg onload=alert(1)>.html",
    "{{7*7}}.html",
    "{name}.html",
    "\u202ehtml.exe",
    "javascript:alert(1)",
    "&lt;b&gt;.html",
]


@pytest.fixture
def served(perijove: RunningPerijove) -> Path:
    for name in FILES:
        text = json.dumps(NOTEBOOK) if name.endswith(".ipynb") else SCRIPT
        (perijove.root_dir / name).write_text(text)
    return perijove.root_dir


class Elements(HTMLParser):
    """The elements of a page with their attributes, and all text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for name, attributes in self.found if name == tag]

    @property
    def active(self) -> list[str]:
        """What would run something."""
        tags = [tag for tag, _ in self.found if tag in ("script", "svg", "img", "object", "embed")]
        handlers = [name for _, given in self.found for name in given if name.startswith("on")]
        return tags + handlers


def expect_policy(answer: RawAnswer, policy: str) -> None:
    assert answer.headers["content-security-policy"] == [policy], answer.data[:400]
    assert answer.headers["x-content-type-options"] == ["nosniff"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_always_served_in_a_sandbox(
    name: str, perijove: RunningPerijove, served: Path
) -> None:
    def get(method: bytes = b"GET", query: str = "", **headers: str) -> RawAnswer:
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        target = f"/files/{name}{query}".encode()
        return ask(perijove.url, method, target, headers=given, token=perijove.token)

    whole = get()
    assert (whole.status, whole.body) == (200, (served / name).read_bytes())
    modified = whole.headers["last-modified"][0]
    answers = {
        200: [whole, get(b"HEAD"), get(query="?v=1")],
        206: [get(Range="bytes=1-5"), get(b"HEAD", Range="bytes=-5")],
        # With these a browser replaces the headers of what it has kept.
        304: [get(If_Modified_Since=modified), get(b"HEAD", If_Modified_Since=modified)],
    }
    for status, found in answers.items():
        for answer in found:
            assert answer.status == status
            expect_policy(answer, SANDBOX)
            if status != 304:
                (kind,) = answer.headers["content-type"]
                assert kind == (FILES[name] or kind)
            is_download = "content-disposition" in answer.headers
            assert is_download == name.endswith(".ipynb")
    assert get(query="?download=1").headers["content-disposition"] == [
        f"attachment; filename*=utf-8''{name}"
    ]
    expect_policy(get(Range="bytes=999999-"), SANDBOX)


@pytest.mark.parametrize("exporter", ["html", "slides", "markdown", "python", "script"])
def test_what_a_notebook_becomes_is_served_in_a_sandbox(
    exporter: str, perijove: RunningPerijove, served: Path
) -> None:
    assert served.exists()
    target = f"/nbconvert/{exporter}/p.ipynb".encode()
    answer = ask(perijove.url, b"GET", target, token=perijove.token)
    assert answer.status == 200
    expect_policy(answer, SANDBOX)
    sent = ask(
        perijove.url,
        b"POST",
        f"/nbconvert/{exporter}".encode(),
        json.dumps({"name": "n.ipynb", "content": NOTEBOOK}).encode(),
        token=perijove.token,
    )
    assert sent.status == 200
    expect_policy(sent, SANDBOX)


@pytest.mark.parametrize("route", ["api/contents/p.html", "api/contents/p.ipynb", "api/contents"])
def test_the_api_serves_content_as_data_only(
    route: str, perijove: RunningPerijove, served: Path
) -> None:
    assert served.exists()
    for query in ("", "?content=0", "?format=text&type=file"):
        answer = ask(perijove.url, b"GET", f"/{route}{query}".encode(), token=perijove.token)
        assert answer.headers["content-type"] == ["application/json"]
        expect_policy(answer, API)


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_name_with_markup_stays_a_name(
    name: str, perijove: RunningPerijove, served: Path
) -> None:
    (served / name).write_text("x")
    quoted = quote(name)
    view = ask(perijove.url, b"GET", f"/view/{quoted}".encode(), token=perijove.token)
    assert view.status == 200
    page = Elements(view.body)
    assert page.active == []
    (frame,) = page.named("iframe")
    assert frame["sandbox"] == "allow-scripts"
    assert frame["src"] == f"/files/{quoted}"
    assert name.replace("\r\n", "\n") in page.text.replace("\r\n", "\n")
    got = ask(perijove.url, b"GET", f"/files/{quoted}?download=1".encode(), token=perijove.token)
    assert got.headers["content-disposition"] == [
        f"attachment; filename*=utf-8''{quote(name, safe='/')}"
    ]
    expect_policy(got, SANDBOX)
    assert got.body == b"x"


TEXTS = st.one_of(
    st.sampled_from(EVIL_NAMES),
    st.lists(
        st.sampled_from(
            ["<script>", "</script>", "<!--", "-->", '"', "'", ">", "<", "&", "\u2028", "\\", "x"]
        ),
        min_size=1,
        max_size=6,
    ).map("".join),
    st.text(min_size=1, max_size=8),
)


@given(text=TEXTS)
def test_an_address_with_markup_is_no_markup_in_a_page(
    perijove: RunningPerijove, text: str
) -> None:
    quoted = quote(text.replace("/", ""), safe="").encode()
    own = Elements(ask(perijove.url, b"GET", b"/lab/tree/x", token=perijove.token).body)
    targets = {
        b"/lab/tree/" + quoted: own.active,
        b"/lab/nowhere/" + quoted: own.active,
        b"/doc/tree/" + quoted: own.active,
        b"/files/absent-" + quoted: [],
        b"/view/absent-" + quoted: [],
        b"/nbconvert/html/absent-" + quoted: [],
        b"/nowhere-" + quoted: [],
        b"/login?next=" + quoted: [],
    }
    for target, expected in targets.items():
        for token in (perijove.token, None):
            answer = ask(perijove.url, b"GET", target, token=token)
            if answer.headers.get("content-type", [""])[0].startswith("text/html"):
                assert Elements(answer.body).active == expected, target


def test_an_error_of_the_api_is_json_whatever_it_quotes(perijove: RunningPerijove) -> None:
    for name in EVIL_NAMES:
        target = b"/api/contents/absent" + quote(name).encode()
        for method in (b"GET", b"PATCH", b"DELETE", b"POST"):
            answer = ask(perijove.url, method, target, b'{"path":"<b>"}', token=perijove.token)
            assert 400 <= answer.status < 500
            assert answer.headers["content-type"] == ["application/json"]
            expect_policy(answer, API)


def test_a_notebook_cannot_say_of_itself_that_it_is_trusted(
    perijove: RunningPerijove, served: Path
) -> None:
    assert served.exists()
    answer = ask(perijove.url, b"GET", b"/api/contents/p.ipynb", token=perijove.token)
    cells = json.loads(answer.body)["content"]["cells"]
    assert cells[1]["metadata"]["trusted"] is False


def test_another_site_is_not_given_a_users_file(perijove: RunningPerijove, served: Path) -> None:
    assert served.exists()
    known = ask(perijove.url, b"GET", b"/api/me", token=perijove.token)
    (cookie,) = (value.partition(";")[0] for value in known.headers["set-cookie"])
    here = re.sub("^http://", "", perijove.url).rstrip("/")
    foreign = [
        {},
        {"Referer": "http://evil.example/"},
        {"Referer": f"http://{here}.evil.example/"},
        {"Referer": f"http://evil.example/{here}"},
        {"Referer": f"http://{here}@evil.example/"},
        {"Referer": "http://[::1"},
        {"Referer": "null", "Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ]
    for headers in foreign:
        for target in (b"/files/p.js", b"/files/p.ipynb", b"/nbconvert/python/p.ipynb"):
            answer = ask(perijove.url, b"GET", target, headers={"Cookie": cookie, **headers})
            assert answer.status == 403, (target, headers, answer.data[:300])
            assert b"fetch(" not in answer.body
    own = {"Cookie": cookie, "Referer": perijove.url}
    assert ask(perijove.url, b"GET", b"/files/p.js", headers=own).status == 200
    # The API is for the scripts of this site: another one's cannot read what it gets.
    origin = {"Cookie": cookie, "Origin": "http://evil.example"}
    for target in (b"/api/contents/p.js", b"/api/contents"):
        answer = ask(perijove.url, b"GET", target, headers=origin)
        assert answer.status == 404
        assert "access-control-allow-origin" not in answer.headers
    broken = {"Cookie": cookie, "Origin": "http://[::1"}
    assert ask(perijove.url, b"GET", b"/api/contents", headers=broken).status == 404
