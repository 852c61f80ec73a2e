"""What a client says of a kernel reaches that kernel alone, as it was said, and is never run."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from yarl import URL

from tests.jupyter_ws import JupyterClient
from tests.running import Home, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

CREATED = 200
"""How many kernels are asked for at once; half of those who ask go away."""
_TELLS = 'env -0 > "$1.part" && mv "$1.part" "$1.env"; exec sleep 600'
"""A kernel that notes what it was told, and does no more."""
_MARK = "injected"
HOSTILE = (
    f"$(touch {_MARK})",
    f"`touch {_MARK}`",
    f"; touch {_MARK} #",
    f"' || touch {_MARK} || '",
    '"\n- !!python/object/apply:os.system ["touch injected"]\n',
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "${HOME} %HOME% {connection_file} {resource_dir}",
    "--help -c 'x'",
    "a: b\nc: [d]",
    "\x1b]0;title\x07\r\n",
    "é\u202e🪐",
    "x" * 5000,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    directory = home.root.parent / "jupyter-data" / "kernels" / "tells"
    directory.mkdir(parents=True)
    spec = {
        "argv": ["/bin/sh", "-c", _TELLS, "sh", "{connection_file}"],
        "display_name": "Tells",
        "language": "none",
    }
    (directory / "kernel.json").write_text(json.dumps(spec))
    return home


@pytest.fixture(scope="module")
def perijove(start_for_module: StartPerijove, home: Home) -> RunningPerijove:
    return start_for_module(home=home, PERIJOVE_RUNNER_CAPACITY=str(2 * CREATED))


def told(perijove: RunningPerijove) -> dict[str, dict[str, str]]:
    """Return what each kernel found in its environment, by its id."""
    found = {}
    for path in perijove.runtime_dir.rglob("connection.json.env"):
        pairs = (pair.partition(b"=") for pair in path.read_bytes().split(b"\0") if pair)
        kernel_id = json.loads((path.parent / "record.json").read_text())["kernel_id"]
        found[kernel_id] = {
            name.decode(): value.decode(errors="surrogateescape") for name, _, value in pairs
        }
    return found


def marks(perijove: RunningPerijove) -> list[Path]:
    return [path for path in perijove.root_dir.parent.rglob(f"*{_MARK}*") if path.is_file()]


async def test_what_is_said_of_a_kernel_is_taken_as_it_is(perijove: RunningPerijove) -> None:
    async with JupyterClient.http(perijove.token) as http:
        jupyter = JupyterClient(http, perijove.url)
        for text in HOSTILE:
            body = {"name": "tells", "env": {"KERNEL_TEXT": text, "PATH": text, "LD_PRELOAD": text}}
            kernel = await jupyter.call("POST", "api/kernels", body, expect=201)
            found = await until(lambda: told(perijove).get(kernel["id"]))  # noqa: B023
            assert found["KERNEL_TEXT"] == text
            assert text not in (found["PATH"], found.get("LD_PRELOAD"))
            await jupyter.call("DELETE", f"api/kernels/{kernel['id']}", expect=204)
    assert not marks(perijove)


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_names_something_that_is_not_there_is_refused(
    perijove: RunningPerijove, text: str
) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("api/kernels", {"name": text}),
        ("api/kernels", {"name": "tells", "kernel_id": text}),
        ("api/kernels", {"name": "tells", "env": {f"KERNEL_{text}=": "x"}}),
        ("api/sessions", {"path": "a", "type": "notebook", "kernel": {"name": text}}),
        ("api/terminals", {"name": text}),
    ]
    async with JupyterClient.http(perijove.token) as http:
        for target, body in bodies:
            async with http.post(URL(perijove.url).join(URL(target)), json=body) as answer:
                assert answer.status in (400, 404, 501), (target, body, await answer.text())
        async with http.get(f"{perijove.url}api/kernels") as answer:
            assert await answer.json() == []
    assert not marks(perijove)


async def test_of_many_kernels_that_start_at_once_each_is_told_its_own(
    perijove: RunningPerijove,
) -> None:
    chance = random.Random(5)  # noqa: S311 - no secret

    async def create(http: aiohttp.ClientSession, number: int) -> str | None:
        body = {"name": "tells", "env": {"KERNEL_NUMBER": str(number)}}
        patience = chance.uniform(0, 1.5) if number % 2 else 120
        with suppress(TimeoutError):
            async with asyncio.timeout(patience), http.post("api/kernels", json=body) as answer:
                assert answer.status == 201, await answer.text()
                return str((await answer.json())["id"])
        return None

    headers = {"Authorization": f"token {perijove.token}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(perijove.url, headers=headers, connector=connector) as http:
        made = await asyncio.gather(*(create(http, number) for number in range(CREATED)))
        ids = {number: kernel_id for number, kernel_id in enumerate(made) if kernel_id}
        assert len(ids) >= CREATED // 2
        found = await until(lambda: _all_of(ids, told(perijove)))
        for number, kernel_id in ids.items():
            assert found[kernel_id]["KERNEL_NUMBER"] == str(number)
        numbers = Counter(one.get("KERNEL_NUMBER") for one in found.values())
        assert None not in numbers
        assert numbers.most_common(1)[0][1] == 1, "one was started twice"


def _all_of(ids: dict[int, str], found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return found if set(ids.values()) <= set(found) else {}
