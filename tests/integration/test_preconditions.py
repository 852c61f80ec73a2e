"""A change that holds for one version only, from HTTP to the disk."""

from __future__ import annotations

import asyncio
import hashlib
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter_ws import JupyterClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import aiohttp

    from tests.running import RunningPerijove

FILE = "versions.txt"


class Client:
    """Makes requests with headers of their own."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Mapping[str, str], Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self._url}api/contents/{path}"
        data = None if body is None else BytesIO(json.dumps(body).encode())
        async with self._http.request(method, url, data=data, headers=named) as answer:
            text = await answer.text()
            is_json = text and answer.content_type == "application/json"
            return answer.status, answer.headers, await answer.json() if is_json else text

    async def save(self, text: str, **headers: str) -> tuple[int, Mapping[str, str], Any]:
        body = {"type": "file", "format": "text", "content": text}
        return await self.ask("PUT", FILE, body, **headers)


@pytest.fixture
async def client(perijove: RunningPerijove) -> AsyncIterator[Client]:
    (perijove.root_dir / FILE).write_text("first")
    async with JupyterClient.http(perijove.token) as http:
        yield Client(http, perijove.url)


def tag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()}"'


async def test_the_hash_of_a_version_is_its_tag(client: Client) -> None:
    for query in ("hash=1", "hash=1&content=0"):
        status, headers, body = await client.ask("GET", f"{FILE}?{query}")
        assert (status, headers["Etag"], body["hash"]) == (200, tag("first"), tag("first")[1:-1])
        status, headers, body = await client.ask(
            "GET", f"{FILE}?{query}", If_None_Match=f'"x", W/{tag("first")}'
        )
        assert (status, headers["Etag"], body) == (304, tag("first"), "")
    _, headers, _ = await client.ask("GET", FILE)
    assert "Etag" not in headers


async def test_a_save_holds_for_the_version_it_names(
    client: Client, perijove: RunningPerijove
) -> None:
    status, headers, model = await client.save("second", If_Match=tag("first"))
    assert (status, headers["Etag"], model["hash"]) == (200, tag("second"), tag("second")[1:-1])
    for known in (tag("first"), f"W/{tag('second')}", "nonsense"):
        status, _, body = await client.save("third", If_Match=known)
        assert status == 412
        assert body["message"], body
    assert (perijove.root_dir / FILE).read_text() == "second"
    assert (await client.save("third", If_Match="*"))[0] == 200
    assert (await client.save("fourth", If_None_Match="*"))[0] == 412
    assert (await client.save("fourth", If_Match=f"{tag('third')}, {tag('x')}"))[0] == 400
    assert (await client.save("fourth", If_None_Match=tag("third")))[0] == 400
    (perijove.root_dir / FILE).unlink()
    assert (await client.save("fifth", If_Match="*"))[0] == 412
    status, headers, _ = await client.save("fifth", If_None_Match="*")
    assert (status, headers["Etag"]) == (201, tag("fifth"))
    status, headers, model = await client.save("sixth")
    assert (status, model["hash"], "Etag" in headers) == (200, None, False)


async def test_other_changes_hold_for_the_version_they_name(
    client: Client, perijove: RunningPerijove
) -> None:
    assert (await client.ask("POST", f"{FILE}/checkpoints"))[0] == 201
    await client.save("second")
    stale = tag("first")
    restoring = f"{FILE}/checkpoints/checkpoint"
    assert (await client.ask("POST", restoring, If_Match=stale))[0] == 412
    assert (await client.ask("PATCH", FILE, {"path": "m.txt"}, If_Match=stale))[0] == 412
    assert (await client.ask("DELETE", FILE, If_Match=stale))[0] == 412
    assert (perijove.root_dir / FILE).read_text() == "second"
    assert (await client.ask("POST", restoring, If_Match=tag("second")))[0] == 204
    assert (await client.ask("PATCH", FILE, {"path": "m.txt"}, If_Match=stale))[0] == 200
    assert (await client.ask("DELETE", "m.txt", If_Match=stale))[0] == 204


async def test_a_large_notebook_holds_for_the_version_it_names(client: Client) -> None:
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "x" * 2_000_000}
    content = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    body = {"type": "notebook", "format": "json", "content": content}
    status, headers, _ = await client.ask("PUT", "v.ipynb", body, If_None_Match="*")
    assert status == 201
    assert (await client.ask("PUT", "v.ipynb", body, If_None_Match="*"))[0] == 412
    assert (await client.ask("PUT", "v.ipynb", body, If_Match=tag("x")))[0] == 412
    known = {"If_Match": headers["Etag"]}
    assert (await client.ask("PUT", "v.ipynb", body, **known))[0] == 200
    assert (await client.ask("DELETE", "v.ipynb", **known))[0] == 204


async def test_of_many_savers_who_know_a_version_one_wins(
    client: Client, perijove: RunningPerijove
) -> None:
    answers = await asyncio.gather(
        *(client.save(f"saver {number}", If_Match=tag("first")) for number in range(16))
    )
    (winner,) = (number for number, answer in enumerate(answers) if answer[0] == 200)
    assert {status for status, _, _ in answers} == {200, 412}
    assert (perijove.root_dir / FILE).read_text() == f"saver {winner}"
