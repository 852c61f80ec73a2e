"""A client that takes as much as it can get does not take the server down."""

from __future__ import annotations

import contextlib
import json
import zlib
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.raw_http import ask, connect, head_of, read_to_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import StartPerijove
    from tests.raw_http import RawAnswer
    from tests.running import RunningPerijove

MIB = 1024 * 1024
MAX_BODY = 8 * MIB
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def limited(start_shared: StartPerijove) -> RunningPerijove:
    """Run a stack that takes bodies up to a small size."""
    return start_shared(PERIJOVE_GATEWAY_HTTP_MAX_BODY_BYTES=str(MAX_BODY))


@contextlib.contextmanager
def growing_at_most(running: RunningPerijove, mib: int) -> Iterator[None]:
    """Check that no process that serves grows by more."""
    processes = {name: psutil.Process(running.pid(name)) for name in ("gateway_http", "contents")}
    before = {name: process.memory_info().rss for name, process in processes.items()}
    yield
    for name, process in processes.items():
        grown = (process.memory_info().rss - before[name]) / MIB
        assert grown < mib, f"{name} has grown by {grown:.0f} MiB"


def expect_service(running: RunningPerijove) -> None:
    assert ask(running.url, b"GET", b"/api/contents", token=running.token).status == 200


def send_until_refused(running: RunningPerijove, head: bytes, chunk: bytes, most: int) -> RawAnswer:
    """Send a body that does not end, as far as the server lets."""
    with connect(running.url) as connection:
        connection.sendall(head)
        with contextlib.suppress(OSError):
            for _ in range(most):
                connection.sendall(chunk)
            connection.sendall(b"0\r\n\r\n")
        return read_to_end(connection)


@pytest.mark.parametrize("target", [b"/login", b"/api/contents/x", b"/api/sessions", b"/nowhere"])
@pytest.mark.parametrize("headers", [{}, {"X-XSRFToken": "x", "Cookie": "_xsrf=x"}])
def test_a_stranger_cannot_fill_the_memory(
    perijove: RunningPerijove, target: bytes, headers: dict[str, str]
) -> None:
    body = b"_xsrf=x&password=" + b"x" * (60 * MIB)
    with growing_at_most(perijove, 20):
        answer = ask(perijove.url, b"POST", target, body, {**FORM, **headers})
        assert answer.status in (0, 400, 403, 404, 413)
        chunked = {**FORM, **headers, "Transfer-Encoding": "chunked"}
        head = head_of(perijove.url, b"POST", target, chunked)
        chunk = b"%x\r\n" % MIB + b"x" * MIB + b"\r\n"
        refused = send_until_refused(perijove, head, chunk, 60)
        assert refused.status in (0, 400, 403, 404, 413)
    expect_service(perijove)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_small_body_does_not_become_a_large_one(perijove: RunningPerijove, encoding: str) -> None:
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    packed = b"".join(packer.compress(b" " * MIB) for _ in range(200)) + packer.flush()
    assert len(packed) < MIB
    with growing_at_most(perijove, 20):
        for method, target in ((b"PUT", b"/api/contents/x"), (b"POST", b"/api/sessions")):
            headers = {"Content-Encoding": encoding}
            answer = ask(perijove.url, method, target, packed, headers, token=perijove.token)
            assert 400 <= answer.status < 500
        stranger = ask(perijove.url, b"POST", b"/login", packed, {**FORM, **headers})
        assert 400 <= stranger.status < 500
    expect_service(perijove)


def test_a_body_without_end_is_cut_off(limited: RunningPerijove) -> None:
    token = limited.token
    beginning = b'{"type":"file","format":"text","content":"'
    for target in (b"/api/contents/big", b"/api/sessions", b"/nbconvert/html", b"/api/config/x"):
        method = b"PUT" if b"big" in target or b"config" in target else b"POST"
        head = head_of(limited.url, method, target, {"Transfer-Encoding": "chunked"}, token=token)
        first = b"%x\r\n" % len(beginning) + beginning + b"\r\n"
        chunk = b"%x\r\n" % MIB + b"x" * MIB + b"\r\n"
        with growing_at_most(limited, 64):
            answer = send_until_refused(limited, head + first, chunk, 100)
            assert answer.status in (0, 413), answer.data[:200]
    assert list(limited.root_dir.iterdir()) == []
    expect_service(limited)


def test_who_asks_and_does_not_read_costs_little(perijove: RunningPerijove) -> None:
    with (perijove.root_dir / "big.bin").open("wb") as file:
        for _ in range(64):
            file.write(b"x" * MIB)
    slow = []
    with growing_at_most(perijove, 240):
        for target in (b"/files/big.bin", b"/api/contents/big.bin?format=base64") * 12:
            connection = connect(perijove.url)
            slow.append(connection)
            connection.sendall(head_of(perijove.url, b"GET", target, token=perijove.token))
        for connection in slow:
            assert connection.recv(12) == b"HTTP/1.1 200"
        expect_service(perijove)
    for connection in slow:
        connection.close()
    (perijove.root_dir / "big.bin").unlink()


def test_who_begins_and_does_not_go_on_is_in_nobodys_way(perijove: RunningPerijove) -> None:
    beginnings = [
        b"",
        b"G",
        b"GET /api/contents HTTP/1.1\r\nHost: localhost\r\nX: ",
        head_of(perijove.url, b"PUT", b"/api/contents/y", {"Content-Length": "9"}, token="wrong"),
        head_of(perijove.url, b"PUT", b"/login", {**FORM, "Content-Length": "9"}),
        head_of(
            perijove.url, b"PUT", b"/api/contents/y", {"Content-Length": "9"}, token=perijove.token
        )
        + b"{",
    ]
    waiting = []
    with growing_at_most(perijove, 40):
        for number in range(240):
            connection = connect(perijove.url)
            waiting.append(connection)
            connection.sendall(beginnings[number % len(beginnings)])
        expect_service(perijove)
    for connection in waiting:
        connection.close()
    expect_service(perijove)


LARGE_HEADERS = {
    "Range": "bytes=" + "9" * 5000 + "-",
    "If-Modified-Since": "x" * 30_000,
    "If-None-Match": "," * 60_000,
    "Cookie": "a=b; " * 12_000,
    "Authorization": "token " + "x" * 60_000,
    "Referer": "http://" + "[" * 60_000,
    "Origin": "http://" + "a" * 60_000,
    "Accept": "x" * 70_000,
    "X-Request-Id": "x" * 60_000,
    "Host": "a" * 60_000,
}


@pytest.mark.parametrize("name", LARGE_HEADERS)
def test_a_large_header_is_borne_or_refused(perijove: RunningPerijove, name: str) -> None:
    (perijove.root_dir / "small.txt").write_text("x")
    for target in (b"/files/small.txt", b"/api/contents/small.txt", b"/login?next=x"):
        headers = {name: LARGE_HEADERS[name]}
        answer = ask(perijove.url, b"GET", target, headers=headers, token=perijove.token)
        assert 200 <= answer.status < 500, answer.data[:300]
    many = {f"X-{number}": "x" for number in range(40_000)}
    assert 200 <= ask(perijove.url, b"GET", b"/api", headers=many).status < 500
    expect_service(perijove)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MIB,
        b'{"a":' * 200_000,
        b'{"type":"notebook","content":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"type":"file","chunk":' + b"9" * 100_000 + b"}",
        b'{"type":"notebook","content":{"nbformat":4,"x":' + b"9" * 100_000 + b"}}",
        b" " * (4 * MIB),
        b'{"path":"' + b"a/" * MIB + b'"}',
        json.dumps({"type": "file", "format": "base64", "content": "=" * MIB}).encode(),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_made_to_be_hard_is_refused_soon(perijove: RunningPerijove, body: bytes) -> None:
    with growing_at_most(perijove, 100):
        for method in (b"PUT", b"POST", b"PATCH"):
            answer = ask(perijove.url, method, b"/api/contents/h", body, token=perijove.token)
            assert 200 <= answer.status < 500, answer.data[:300]
    expect_service(perijove)
