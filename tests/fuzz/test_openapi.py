"""Requests that are made up from what the server says that it serves: none may hurt it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.conformance.samples import NOTEBOOK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
SCHEMATHESIS = REPOSITORY / ".venv" / "fuzz" / "bin" / "st"
ENDING_S = 240.0
"""How long the last requests may take beyond the time that was given."""
CLEANING_S = 1.0


@pytest.fixture
def perijove(start_perijove: StartPerijove) -> RunningPerijove:
    perijove = start_perijove("--max-kernels", "3")
    root = perijove.root_dir
    (root / "d").mkdir()
    (root / "d" / "c.txt").write_text("in d")
    (root / "a.txt").write_text("abc\n")
    (root / ".hidden").write_text("hidden")
    (root / "link").symlink_to("a.txt")
    (root / "n.ipynb").write_text(json.dumps(NOTEBOOK))
    return perijove


@contextmanager
def cleaned(perijove: RunningPerijove) -> Iterator[None]:
    """End what is started, all the time: it is not the number of shells that is tested."""

    def ask(method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {perijove.token}"}
        request = Request(perijove.url + path, method=method, headers=headers)  # noqa: S310
        with urlopen(request, timeout=60) as response:  # noqa: S310
            return bytes(response.read())

    def clean() -> None:
        while not ended.wait(CLEANING_S):
            for kind, key in (("terminals", "name"), ("kernels", "id")):
                for found in json.loads(ask("GET", f"api/{kind}")):
                    with suppress(HTTPError):
                        ask("DELETE", f"api/{kind}/{found[key]}")

    ended = threading.Event()
    cleaning = threading.Thread(target=clean)
    cleaning.start()
    try:
        yield
    finally:
        ended.set()
        cleaning.join()


@pytest.mark.timeout(3600)
def test_no_request_is_answered_otherwise_than_the_document_says(
    perijove: RunningPerijove, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    seconds = int(request.config.getoption("--duration"))
    before = perijove.record["processes"]
    with cleaned(perijove):
        done = subprocess.run(
            [
                *(SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "--no-color"),
                *("run", f"{perijove.url}api/spec.yaml", "--max-time", str(seconds)),
                *("--header", f"Authorization: token {perijove.token}"),
            ],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=seconds + ENDING_S,
            check=False,
        )
    print(done.stdout[-20_000:])  # noqa: T201 - what to do about a failure
    assert done.returncode == 0, done.stderr
    assert perijove.record["processes"] == before, "one has died"
    log = (perijove.runtime_dir / "logs" / "gateway_http.log").read_text(errors="replace")
    assert "unexpected error" not in log
