"""No address leads out of the root, however it is written, and none breaks the server."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.raw_http import ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.raw_http import RawAnswer
    from tests.running import RunningPerijove

SECRET = b"CANARY"

UP = [
    b"..", b"%2e%2e", b".%2e", b"%2E.", b"%252e%252e", b"%25252e%25252e", b"..%00", b"..%20",
    b"...", b"..\\", b"..%5c", b"..%2f", b"..%252f", b"%2f..", b"%2e%2e%2f", b"..%2f..%2f", b"..;",
    b"..%3b", b"%c0%ae%c0%ae", b"%c0%2e", b"%e0%80%ae", b"%ef%bc%8e%ef%bc%8e", b"%e2%80%a5",
    b"%uff0e", b"\xc0\xae", b"\xef\xbc\x8e\xef\xbc\x8e", b"\xe2\x80\xa5", b"..%c0%af",
    b"..%ef%bc%8f",
]  # fmt: skip
NAMES = [
    b"", b".", b"root2", b"root", b"secret.txt", b"etc", b"passwd", b"a", b"%61", b"a%2fb",
    b"a.txt", b"a%20", b"a%20.", b"a.", b"%00", b"a%00.txt", b"%0a", b"%0d%0aX-Evil:%201", b"\xff",
    b"%ff", b"\xc3\xa9", b"e%cc%81", b"%c3%a9", b"%ed%a0%80", b"%f0%9f%98%80", b"%", b"%z", b"%2",
    b"a%2", b"%%32%65", b"+", b"*", b"~", b"~root", b"$HOME", b"{a}", b"[a]", b"|id", b"`id`",
    b"'", b"%22", b"con", b"nul.txt", b"C:", b"c%3a%5c", b"%5c%5chost%5cshare", b"file:", b"http:",
    b"checkpoints", b"checkpoints/checkpoint", b"trust", b".hidden", b"%2ehidden",
    b".ipynb_checkpoints", b"a" * 255, b"a" * 256, b"%c3%a9" * 128, b"a/" * 3000 + b"a",
    b"x" * 60_000, b"x" * 70_000, b"\x7f", b"\x80", b"\x01", b"#", b"a#b", b"n.ipynb",
]  # fmt: skip
ROUTES = [
    b"/api/contents/", b"/files/", b"/view/", b"/nbconvert/html/", b"/api/config/", b"/static/lab/",
    b"/static/favicons/", b"/lab/extensions/", b"/lab/api/settings/", b"/lab/api/themes/",
    b"/lab/api/translations/", b"/lab/api/workspaces/", b"/lab/tree/", b"/lab/workspaces/",
    b"/kernelspecs/", b"/kernelspecs/python3/", b"/custom/", b"/api/", b"/", b"//", b"",
    b"http://elsewhere/files/",
]  # fmt: skip
SEGMENTS = st.one_of(
    st.sampled_from(UP),
    st.sampled_from(NAMES),
    # A space or an end of line would end the target.
    st.binary(max_size=6).map(lambda raw: bytes(byte for byte in raw if byte not in b" \r\n")),
)
AIMED = st.builds(
    lambda ups, between, name: between.join([*ups, name]),
    st.lists(st.sampled_from(UP), min_size=1, max_size=3),
    st.sampled_from([b"/", b"/", b"%2f", b""]),
    st.sampled_from([b"secret.txt", b"root2/a", b"secret.json", b"../../../../../etc/passwd"]),
)
BELOW = st.one_of(AIMED, st.lists(SEGMENTS, max_size=6).map(b"/".join))
TARGETS = st.builds(
    lambda route, below, end: route + below + end,
    st.one_of(st.sampled_from(ROUTES[:4]), st.sampled_from(ROUTES)),
    BELOW,
    st.sampled_from([b"", b"", b"/", b"?content=1", b"?download=1", b"?path=../root2/a", b"/?"]),
)
METHODS = st.sampled_from(
    [b"GET", b"GET", b"GET", b"HEAD", b"PUT", b"POST", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE"]
)
TEXT = st.one_of(
    st.lists(st.sampled_from([*UP, *NAMES]), max_size=5)
    .map(b"/".join)
    .map(lambda raw: raw[:5000].decode("utf-8", "surrogateescape")),
    st.text(max_size=8),
    st.sampled_from(["../root2/a", "/etc/passwd", "a/../../root2/a", "..", "\x00", "\ud800"]),
)
BODIES = st.one_of(
    st.just(b""),
    TEXT.map(lambda text: {"path": text}),
    TEXT.map(lambda text: {"copy_from": text}),
    TEXT.map(lambda text: {"ext": text}),
    TEXT.map(lambda text: {"type": "file", "format": "text", "content": text}),
    st.sampled_from([{"type": "directory"}, {"type": "notebook"}, {"type": "file", "chunk": 2}]),
).map(lambda body: body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.fixture(scope="module")
def secrets(shared_perijove: RunningPerijove) -> list[Path]:
    """Put secrets beside everything that is served, and note how long nobody read them."""
    home = shared_perijove.home.root.parent
    beside = [home, home / "root2", home / "jupyter-config", home / "jupyter-data", home / "lab"]
    found = []
    for directory in beside:
        directory.mkdir(exist_ok=True)
        for name in ("a", "secret.txt", "secret.json", "secret.jupyterlab-settings"):
            path = directory / name
            path.write_bytes(b'"' + SECRET + b'"')
            # The first reader makes its time of access move.
            os.utime(path, ns=(1_000_000_000, 2_000_000_000))
            found.append(path)
    return found


def seen(paths: list[Path]) -> list[tuple[int, ...]]:
    found = [path.lstat() for path in paths]
    return [(s.st_ino, s.st_mode, s.st_size, s.st_atime_ns, s.st_ctime_ns) for s in found]


def expect_harmless(answer: RawAnswer, *places: Path) -> None:
    assert 200 <= answer.status < 500, answer.data[:500]
    assert SECRET not in answer.data
    assert b"root:x:0:" not in answer.data
    assert b"Traceback" not in answer.data
    assert "x-evil" not in answer.headers
    for place in places:
        assert os.fsencode(place) not in answer.data


@given(method=METHODS, target=TARGETS, body=BODIES)
def test_no_target_leads_out_of_the_root(
    perijove: RunningPerijove, secrets: list[Path], method: bytes, target: bytes, body: bytes
) -> None:
    before = seen(secrets)
    answer = ask(perijove.url, method, target or b"/", body, token=perijove.token)
    expect_harmless(answer, *(() if b"lab" in target else (perijove.root_dir.parent,)))
    assert seen(secrets) == before


@given(
    method=st.sampled_from([b"PUT", b"POST", b"PATCH"]),
    target=st.sampled_from([b"a", b"n.ipynb", b"", b"d", b"d/a"]),
    body=BODIES,
)
def test_no_path_in_a_body_leads_out_of_the_root(
    perijove: RunningPerijove, secrets: list[Path], method: bytes, target: bytes, body: bytes
) -> None:
    (perijove.root_dir / "d").mkdir(exist_ok=True)
    before = seen(secrets)
    answer = ask(perijove.url, method, b"/api/contents/" + target, body, token=perijove.token)
    expect_harmless(answer, perijove.root_dir.parent)
    assert seen(secrets) == before


@given(path=TEXT, kernel=TEXT)
def test_no_path_in_a_query_is_resolved_out_of_the_root(
    perijove: RunningPerijove, secrets: list[Path], path: str, kernel: str
) -> None:
    quoted = [
        "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))
        for text in (path, kernel)
    ]
    target = f"/api/resolvePath?path={quoted[0]}&kernel={quoted[1]}"
    before = seen(secrets)
    answer = ask(perijove.url, b"GET", target.encode(), token=perijove.token)
    expect_harmless(answer)
    assert seen(secrets) == before


@given(path=BELOW, token=st.sampled_from([None, "wrong", ""]))
def test_without_a_credential_no_target_tells_what_is_there(
    perijove: RunningPerijove, secrets: list[Path], path: bytes, token: str | None
) -> None:
    inside = perijove.root_dir / "a"
    if inside.is_dir():
        shutil.rmtree(inside)
    inside.write_bytes(SECRET)
    before = seen([*secrets, inside])
    for route in ROUTES[:4]:
        for method in (b"GET", b"HEAD", b"PUT", b"DELETE"):
            answer = ask(perijove.url, method, route + path, token=token)
            expect_harmless(answer, perijove.root_dir.parent)
            assert answer.status >= 300
    assert seen([*secrets, inside]) == before
