"""Over HTTP: a server whose links must not leave the root keeps to that, whoever swaps them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.raw_http import ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

SECRET = b"CANARY"
ROUNDS = 40
SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = (os.fsencode(name) for name in sys.argv[1:])
print("ready", flush=True)
while True:
    libc.renameat2(-100, one, -100, other, 2)
"""


@pytest.fixture(scope="module")
def confined(start_shared: StartPerijove) -> RunningPerijove:
    return start_shared(
        PERIJOVE_CONTENTS_LINKS_LEAVE_ROOT="false",
        PERIJOVE_CONTENTS_DELETE_TO_TRASH="false",
        PERIJOVE_CONTENTS_ALWAYS_DELETE_DIRECTORIES="true",
    )


@contextlib.contextmanager
def swapping(one: Path, other: Path) -> Iterator[None]:
    command = [sys.executable, "-S", "-c", SWAPPER, str(one), str(other)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def snapshot(directory: Path) -> list[tuple[object, ...]]:
    found = [(path, path.lstat()) for path in sorted([directory, *directory.rglob("*")])]
    return [(path, s.st_ino, s.st_mode, s.st_size, s.st_ctime_ns) for path, s in found]


REQUESTS = [
    (b"GET", b"api/contents/d/x", None),
    (b"GET", b"api/contents/d", None),
    (b"GET", b"files/d/x", None),
    (b"HEAD", b"files/d/x", None),
    (b"GET", b"view/d/x", None),
    (b"PUT", b"api/contents/d/x", {"type": "file", "format": "text", "content": "inside"}),
    (b"PUT", b"api/contents/d/n.ipynb", {"type": "notebook", "content": {"nbformat": 4}}),
    (b"PUT", b"api/contents/d/made", {"type": "directory"}),
    (b"POST", b"api/contents/d", {"type": "file"}),
    (b"POST", b"api/contents", {"copy_from": "d/x"}),
    (b"POST", b"api/contents", {"copy_from": "d"}),
    (b"POST", b"api/contents/d", {"copy_from": "a"}),
    (b"PATCH", b"api/contents/d/x", {"path": "moved"}),
    (b"PATCH", b"api/contents/moved", {"path": "d/x"}),
    (b"POST", b"api/contents/d/x/checkpoints", None),
    (b"GET", b"api/contents/d/x/checkpoints", None),
    (b"POST", b"api/contents/d/x/checkpoints/checkpoint", None),
    (b"DELETE", b"api/contents/d/sub", None),
    (b"DELETE", b"api/contents/d/x", None),
]


def test_nothing_outside_is_reached_by_any_request(confined: RunningPerijove) -> None:
    root, outside = confined.root_dir, confined.root_dir.parent / "root2"
    for directory in (outside, root / "d"):
        (directory / "sub").mkdir(parents=True)
    for path in (outside / "x", outside / "sub" / "x", outside / "only-outside"):
        path.write_bytes(SECRET)
    (root / "a").write_bytes(b"inside")
    (root / "other").symlink_to(outside)
    before = snapshot(outside)
    statuses = set()
    for _ in range(ROUNDS):
        if not (root / "d").is_symlink():
            (root / "d" / "x").write_bytes(b"inside")
        with swapping(root / "d", root / "other"):
            for method, target, value in REQUESTS:
                body = json.dumps(value).encode() if value else b""
                answer = ask(confined.url, method, b"/" + target, body, token=confined.token)
                assert 200 <= answer.status < 500, (target, answer.data[:300])
                assert SECRET not in answer.data
                assert b"only-outside" not in answer.data
                statuses.add(answer.status)
    assert snapshot(outside) == before
    # It met the directory, and the link.
    assert {200, 201, 404} <= statuses
    kept = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in kept if SECRET in path.read_bytes()]
