"""No redirect leads to another site, however the address is written."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.raw_http import ask

if TYPE_CHECKING:
    from tests.raw_http import RawAnswer
    from tests.running import RunningPerijove

EVIL = "evil.example"

PAYLOADS = [
    "//{0}",
    "///{0}",
    "////{0}/",
    "//{0}/%2f..",
    "/\\{0}",
    "\\\\{0}",
    "\\/{0}",
    "/\t/{0}",
    "/\n/{0}",
    "\t//{0}",
    " //{0}",
    "\x00//{0}",
    "\x1f//{0}",
    "/%09/{0}",
    "/%5c{0}",
    "%2f%2f{0}",
    "/%2f{0}",
    "/.//{0}",
    "/..//{0}",
    "/lab/..//{0}",
    "/lab//{0}",
    "http://{0}",
    "https:{0}",
    "https:/{0}",
    "https:///{0}",
    "http:\\\\{0}",
    "hTTp://{0}",
    "ht\ttp://{0}",
    "//[::1]@{0}",
    "//user@{0}",
    "//127.0.0.1@{0}",
    "/@{0}",
    "@{0}",
    ".{0}",
    "//{0}:80",
    "//{0}?a=b#c",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//[",
    "http://[::1",
    "//\u3002{0}",
    "//evil\u3002example",
    "/\u2215/{0}",
    "/\uff0f{0}",
    "/\r\nLocation: //{0}",
    "/%0d%0aLocation:%20//{0}",
    "?next=//{0}",
    "#//{0}",
]
TEXTS = st.one_of(
    st.sampled_from(PAYLOADS).map(lambda payload: payload.format(EVIL)),
    st.lists(
        st.one_of(
            st.sampled_from(["/", "\\", "//", ":", "@", "?", "#", "%2f", "%5c", "%09", "..", "."]),
            st.sampled_from(["\t", "\n", "\r", " ", "\x00", "\x0b", "\xa0", "\u3002", "\u2028"]),
            st.sampled_from(["http", "https:", "javascript:", "lab", EVIL]),
            st.characters(exclude_categories=["Cs"]),
        ),
        max_size=8,
    ).map("".join),
)


def where_a_browser_goes(page: str, location: bytes) -> str:
    """Return the address that a browser makes of a `Location`, generously to attackers."""
    text = location.decode("utf-8", "replace").strip("".join(map(chr, range(0x21))))
    for dropped in "\t\r\n":
        text = text.replace(dropped, "")
    # To a browser both slashes are the same, in whatever number after a scheme.
    text = text.replace("\\", "/")
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() in ("http", "https"):
        text = f"{scheme.lower()}://{rest.lstrip('/')}"
    if text.startswith("//"):
        text = "//" + text.lstrip("/")
    try:
        return urljoin(page, text)
    except ValueError:
        return page  # a browser says that this is no address, and stays


def expect_same_site(answer: RawAnswer, url: str) -> None:
    assert 200 <= answer.status < 500, answer.data[:300]
    for location in answer.headers.get("location", []):
        found = where_a_browser_goes(url, location.encode("latin-1"))
        parts, here = urlsplit(found), urlsplit(url)
        assert (parts.scheme, parts.netloc) == (here.scheme, here.netloc), location
    assert len(answer.headers.get("location", [])) <= 1


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_browser_in_this_test_falls_for_what_real_ones_fall_for(payload: str) -> None:
    # The test of the test: what is not caught by it must be harmless by itself.
    found = where_a_browser_goes("http://here/login", payload.format(EVIL).encode())
    harmless = ("/%", "%2f", "/.", "/lab", "/@", "@", ".", "?", "#", "/\u2215", "/\uff0f", "/\r")
    if payload.startswith(harmless) or payload in ("//[", "http://[::1"):
        assert urlsplit(found).netloc == "here"
    else:
        assert urlsplit(found).netloc != "here"


@given(text=TEXTS)
def test_after_the_login_nobody_is_elsewhere(perijove: RunningPerijove, text: str) -> None:
    url, token = perijove.url, perijove.token
    asked = quote(text, safe="").encode()
    expect_same_site(ask(url, b"GET", b"/login?next=" + asked, token=token), url)
    xsrf = {"Cookie": "_xsrf=x", "Content-Type": "application/x-www-form-urlencoded"}
    form = b"_xsrf=x&password=" + token.encode()
    logged_in = ask(url, b"POST", b"/login?next=" + asked, form, xsrf)
    assert logged_in.status == 302
    expect_same_site(logged_in, url)
    expect_same_site(ask(url, b"POST", b"/login", form + b"&next=" + asked, xsrf), url)


@given(
    before=st.sampled_from(["", "/", "//", "/lab", "/lab/tree", "/files/", "/nbconvert/html/"]),
    text=TEXTS,
    after=st.sampled_from(["", "/", "//", "/?a=//" + EVIL]),
    is_raw=st.booleans(),
    is_known=st.booleans(),
)
def test_no_address_leads_elsewhere(
    perijove: RunningPerijove,
    before: str,
    text: str,
    after: str,
    is_raw: bool,  # noqa: FBT001
    is_known: bool,  # noqa: FBT001
) -> None:
    middle = text.encode() if is_raw else quote(text, safe="/\\:@?#%").encode()
    target = before.encode() + bytes(byte for byte in middle if byte not in b"\r\n ")
    target = (target or b"/") + after.encode()
    token = perijove.token if is_known else None
    for method in (b"GET", b"HEAD", b"POST"):
        expect_same_site(ask(perijove.url, method, target, token=token), perijove.url)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_old_payload_leads_elsewhere(perijove: RunningPerijove, payload: str) -> None:
    url = perijove.url
    text = payload.format(EVIL)
    for target in (text, text + "/", "/" + text + "/"):
        raw = bytes(byte for byte in target.encode() if byte not in b"\r\n ")
        for token in (perijove.token, None):
            expect_same_site(ask(url, b"GET", raw, token=token), url)
    asked = quote(text, safe="").encode()
    expect_same_site(ask(url, b"GET", b"/login?next=" + asked, token=perijove.token), url)
