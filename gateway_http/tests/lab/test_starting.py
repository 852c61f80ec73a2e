from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest
from perijove_gateway_http import starting
from perijove_gateway_http.keys import READINESS
from perijove_gateway_http.starting import IN_SPITE, NotYet, Readiness

from gateway_http.tests.lab.test_lab_pages import page

if TYPE_CHECKING:
    from gateway_http.tests.lab.running_edge import Edge, MakeEdge


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "PATIENCE_S", 0.2)


async def there() -> None:
    """Be there."""


async def not_there() -> None:
    raise NotYet("no <machine> is there yet")


async def hanging() -> None:
    await asyncio.Event().wait()


async def unreachable() -> None:
    raise grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(),
        "failed to connect to unix:/secret/place",
    )


async def refusing() -> None:
    raise grpc.aio.AioRpcError(
        grpc.StatusCode.PERMISSION_DENIED, grpc.aio.Metadata(), grpc.aio.Metadata(), "no"
    )


async def test_what_is_missing_is_said_and_nothing_of_the_rest() -> None:
    parts = {"a": there, "b": not_there, "c": hanging, "d": unreachable, "e": refusing}
    assert await Readiness(parts).missing() == {
        "b": "no <machine> is there yet",
        "c": "no answer yet",
        "d": "no answer yet",
    }


async def test_what_comes_back_in_a_moment_is_not_noticed() -> None:
    calls = 0

    async def at_second_look() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise NotYet("a moment")

    assert await Readiness({"a": at_second_look}).missing() == {}


@pytest.mark.parametrize("path", ["lab", "lab/tree/a", "tree", "tree/d", "notebooks/x"])
async def test_a_page_waits_until_nothing_is_missing(edge: Edge, path: str) -> None:
    edge.app[READINESS]._parts.update({"Kernels": not_there, "Files": there})
    async with edge.get(path) as response:
        text = await response.text()
        assert response.status == 503
        assert (response.headers["Retry-After"], response.headers["Cache-Control"]) == (
            "1",
            "no-store",
        )
    assert "<li>Files</li>" in text
    assert "Kernels: no &lt;machine&gt; is there yet" in text
    assert "unix:" not in text
    edge.app[READINESS]._parts["Kernels"] = there
    async with edge.get(path) as response:
        assert response.status in (200, 404)


async def test_a_page_is_shown_to_who_wants_it_in_spite(edge: Edge) -> None:
    edge.app[READINESS]._parts["Kernels"] = hanging
    config, _ = await page(edge, f"lab?{IN_SPITE}")
    assert config["appName"] == "JupyterLab"


async def test_who_has_no_credential_is_told_nothing(make_edge: MakeEdge) -> None:
    edge = await make_edge()
    edge.app[READINESS]._parts["Kernels"] = hanging
    async with edge.get("lab", headers={"Authorization": ""}) as response:
        assert response.status == 302
