from __future__ import annotations

import io
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from gateway_http.tests.lab.running_edge import ContentsProcess, Edge

LAYOUT = {"data": {"layout-restorer:data": {"main": {"dock": None}}}, "metadata": {"id": "mine"}}


async def put(edge: Edge, name: str, value: object) -> None:
    async with edge.put(f"lab/api/workspaces/{name}", json=value) as response:
        assert response.status == 204, await response.text()


async def test_a_workspace_that_was_never_stored_is_empty(edge: Edge) -> None:
    answer = await edge.json("lab/api/workspaces/unheard-of")
    assert answer == {"data": {}, "metadata": {"id": "/unheard-of"}}


async def test_a_stored_workspace_comes_back_with_its_times(edge: Edge) -> None:
    await put(edge, "mine", LAYOUT)
    answer = await edge.json("lab/api/workspaces/mine")
    assert answer["data"] == LAYOUT["data"]
    assert answer["metadata"]["id"] == "mine"
    assert answer["metadata"]["last_modified"].endswith("Z")
    assert answer["metadata"]["created"].endswith("Z")


async def test_all_workspaces_are_listed(edge: Edge) -> None:
    await put(edge, "one", {"data": {}, "metadata": {"id": "one"}})
    await put(edge, "two", {"data": {}, "metadata": {"id": "/two"}})
    for path in ("lab/api/workspaces", "lab/api/workspaces/"):
        listed = (await edge.json(path))["workspaces"]
        assert {"one", "/two"} <= set(listed["ids"])
        assert [value["metadata"]["id"] for value in listed["values"]] == listed["ids"]


@pytest.mark.parametrize("name", ["a%20b", "%C3%A9t%C3%A9", "a/b", "x" * 120, "..", "..%2Fx"])
async def test_names_of_any_kind_are_told_apart(
    edge: Edge, name: str, contents: ContentsProcess
) -> None:
    plain = name.replace("%20", " ").replace("%C3%A9", "é").replace("%2F", "/")
    await put(edge, name, {"data": {"name": plain}, "metadata": {"id": plain}})
    answer = await edge.json(f"lab/api/workspaces/{name}")
    assert answer["data"] == {"name": plain}
    assert all(path.parent == contents.workspaces_dir for path in contents.workspaces_dir.iterdir())
    async with edge.request("DELETE", f"lab/api/workspaces/{name}") as response:
        assert response.status == 204
    assert (await edge.json(f"lab/api/workspaces/{name}"))["data"] == {}


async def test_a_workspace_is_deleted_once(edge: Edge) -> None:
    await put(edge, "short", {"data": {}, "metadata": {"id": "short"}})
    for status in (204, 404):
        async with edge.request("DELETE", "lab/api/workspaces/short") as response:
            assert response.status == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"{}",
        b'{"data": {}}',
        b'{"metadata": {"id": "mine"}}',
        b'{"data": [], "metadata": {"id": "mine"}}',
        b'{"data": {}, "metadata": {}}',
        b'{"data": {}, "metadata": {"id": 5}}',
        b'{"data": {}, "metadata": {"id": "other"}}',
        b'{"data": {"a": {}, "metadata": {"id": "mine"}}',
        b'{"data": {}, "metadata": {"id": "\xff"}}',
        b"[" * 100_000,
        msgspec.json.encode({"data": {}, "metadata": {"id": "/mine/"}}),
    ],
)
async def test_what_is_no_workspace_of_the_name_is_refused(edge: Edge, body: bytes) -> None:
    await put(edge, "mine", LAYOUT)
    async with edge.put("lab/api/workspaces/mine", data=body) as response:
        assert response.status == 400
        assert set(await response.json()) == {"message", "reason"}
    assert (await edge.json("lab/api/workspaces/mine"))["data"] == LAYOUT["data"]


async def test_the_id_may_begin_with_a_slash_and_be_encoded(edge: Edge) -> None:
    await put(edge, "a%20b", {"data": {}, "metadata": {"id": "/a%20b"}})


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_change_needs_a_name(edge: Edge, method: str) -> None:
    for slash in ("", "/"):
        async with edge.request(method, f"lab/api/workspaces{slash}") as response:
            assert response.status == 400


async def test_a_workspace_of_an_excessive_size_is_refused(edge: Edge) -> None:
    body = b'{"data": {"a": "' + b"x" * (5 * 1024 * 1024) + b'"}, "metadata": {"id": "mine"}}'
    async with edge.put("lab/api/workspaces/mine", data=io.BytesIO(body)) as response:
        assert response.status == 413


async def test_a_cookie_alone_changes_no_workspace(edge: Edge) -> None:
    async with edge.get("lab") as response:
        cookies = {name: morsel.value for name, morsel in response.cookies.items()}
    jar = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = {"Authorization": "", "Cookie": jar}
    async with edge.put("lab/api/workspaces/mine", json=LAYOUT, headers=headers) as response:
        assert response.status == 403
    headers["X-XSRFToken"] = cookies["_xsrf"]
    async with edge.put("lab/api/workspaces/mine", json=LAYOUT, headers=headers) as response:
        assert response.status == 204
