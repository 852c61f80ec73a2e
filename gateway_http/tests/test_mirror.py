"""Lists from mirrors: at no call, and never other than what the services would say."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove_gateway_http import mirror

from gateway_http.tests.listed_services import Kept, Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from gateway_http.tests.conftest import MakeEdge, RunningEdge

IDLE = kernels_pb2.EXECUTION_STATE_IDLE


def uid(number: int) -> str:
    return f"0000-0000-0000-0000-{number:04}"


@pytest.fixture
async def served(sockets: Path) -> AsyncIterator[Served]:
    served = Served(str(sockets), "a-key")
    await served.start("kernels")
    await served.start("sessions")
    yield served
    await served.stop("sessions")
    await served.stop("kernels")


@pytest.fixture
async def edge(make_edge: MakeEdge, served: Served) -> RunningEdge:
    return await make_edge(**served.targets)


async def listed(edge: RunningEdge, what: str) -> Any:
    response, body = await edge.ask("GET", f"/api/{what}")
    assert response.status == 200, body
    return json.loads(body)


async def ids(edge: RunningEdge, what: str) -> list[str]:
    return [item["id"] for item in await listed(edge, what)]


async def is_mirrored(edge: RunningEdge, kept: Kept[Any], what: str) -> bool:
    before = kept.asked
    await listed(edge, what)
    return kept.asked == before


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.01)


async def mirrored(edge: RunningEdge, kept: Kept[Any], what: str) -> None:
    """Wait until a list is answered without asking."""
    await until(lambda: is_mirrored(edge, kept, what))


async def asked(edge: RunningEdge, kept: Kept[Any], what: str) -> None:
    """Wait until a list is not answered without asking."""

    async def is_asked() -> bool:
        return not await is_mirrored(edge, kept, what)

    await until(is_asked)


async def out_of_step(edge: RunningEdge) -> None:
    """Wait until the mirror of kernels has lost its service."""

    async def lost() -> bool:
        _, metrics = await edge.ask("GET", "/metrics")
        return b'perijove_mirror_in_step{mirror="kernels"} 0.0' in metrics

    await until(lost)


async def test_lists_and_status_cost_no_call_and_show_every_change(
    edge: RunningEdge, served: Served
) -> None:
    kernels, sessions = served.kernels, served.sessions
    for number in (3, 1, 2):
        kernels.put(uid(number), execution_state=IDLE, connection_count=number)
        sessions.put(f"s{number}", uid(number), path=f"{number}.ipynb", type="notebook")
    await mirrored(edge, kernels.kept, "kernels")
    await mirrored(edge, sessions.kept, "sessions")

    async def shows(count: int) -> bool:
        return len(await listed(edge, "sessions")) == count == len(await listed(edge, "kernels"))

    await until(lambda: shows(3))
    assert await ids(edge, "kernels") == [uid(1), uid(2), uid(3)]
    assert await ids(edge, "sessions") == ["s1", "s2", "s3"]
    (first, *_) = await listed(edge, "sessions")
    assert first["kernel"]["connections"] == 1
    assert first["kernel"]["execution_state"] == "idle"
    status = await listed(edge, "status")
    assert (status["connections"], status["kernels"]) == (6, 3)
    kernels.put(uid(1), connection_count=10, execution_state=kernels_pb2.EXECUTION_STATE_BUSY)

    async def connected() -> bool:
        return bool((await listed(edge, "status"))["connections"] == 15)

    await until(connected)
    assert (await listed(edge, "sessions"))[0]["kernel"]["execution_state"] == "busy"
    _, metrics = await edge.ask("GET", "/metrics")
    assert b'perijove_mirror_in_step{mirror="kernels"} 1.0' in metrics
    assert b'perijove_lists_total{by="mirror",listed="sessions"}' in metrics


async def test_a_list_after_a_change_shows_it_though_the_mirror_is_behind(
    edge: RunningEdge, served: Served
) -> None:
    kept = served.kernels.kept
    served.kernels.put(uid(1))
    served.kernels.put(uid(2))
    await mirrored(edge, kept, "kernels")
    kept.let_through.clear()
    response, _ = await edge.ask("DELETE", f"/api/kernels/{uid(1)}")
    assert response.status == 204
    for _ in range(3):
        before = kept.asked
        assert await ids(edge, "kernels") == [uid(2)]
        assert kept.asked == before + 1
    assert (await listed(edge, "status"))["kernels"] == 1
    kept.let_through.set()
    await mirrored(edge, kept, "kernels")
    assert await ids(edge, "kernels") == [uid(2)]


async def test_a_list_after_a_change_that_failed_shows_what_came_of_it(
    edge: RunningEdge, served: Served
) -> None:
    kept = served.kernels.kept
    served.kernels.put(uid(1))
    await mirrored(edge, kept, "kernels")
    kept.let_through.clear()
    served.kernels.fails_after_all = True
    response, _ = await edge.ask("DELETE", f"/api/kernels/{uid(1)}")
    assert response.status == 503
    assert await ids(edge, "kernels") == []


async def test_a_list_shows_no_less_than_what_was_read_before(
    edge: RunningEdge, served: Served
) -> None:
    kept = served.kernels.kept
    served.kernels.put(uid(1))
    await mirrored(edge, kept, "kernels")
    kept.let_through.clear()
    served.kernels.put(uid(1), connection_count=7)
    assert (await listed(edge, f"kernels/{uid(1)}"))["connections"] == 7
    assert (await listed(edge, "kernels"))[0]["connections"] == 7


async def test_while_a_change_is_under_way_the_services_are_asked(
    edge: RunningEdge, served: Served
) -> None:
    kept = served.kernels.kept
    served.kernels.put(uid(1))
    await mirrored(edge, kept, "kernels")
    served.kernels.may_shut_down.clear()
    deleting = asyncio.ensure_future(edge.ask("DELETE", f"/api/kernels/{uid(1)}"))
    await served.kernels.shutting_down.wait()
    assert not await is_mirrored(edge, kept, "kernels")
    assert not await is_mirrored(edge, kept, "kernels")
    served.kernels.may_shut_down.set()
    await deleting
    assert await ids(edge, "kernels") == []


async def test_a_service_that_falls_silent_is_asked(
    edge: RunningEdge, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mirrored(edge, served.kernels.kept, "kernels")
    monkeypatch.setattr(mirror, "ALIVE_S", 0.0)
    assert not await is_mirrored(edge, served.kernels.kept, "kernels")
    monkeypatch.undo()
    await mirrored(edge, served.kernels.kept, "kernels")


async def test_a_stream_that_falls_silent_is_opened_again(
    make_edge: MakeEdge, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = await make_edge(**served.targets)
    await mirrored(edge, served.kernels.kept, "kernels")
    monkeypatch.setattr(mirror, "SILENCE_S", 0.02)  # less than between two heartbeats

    async def opened() -> bool:
        return served.kernels.watches > 2

    await until(opened)
    served.kernels.put(uid(1))

    async def shown() -> bool:
        return await ids(edge, "kernels") == [uid(1)]

    await until(shown)
    await mirrored(edge, served.kernels.kept, "kernels")


async def test_a_mirror_survives_the_restart_of_its_service(
    edge: RunningEdge, served: Served
) -> None:
    kernels = served.kernels
    kernels.put(uid(1))
    kernels.put(uid(2))
    await mirrored(edge, kernels.kept, "kernels")
    await served.stop("kernels")
    await out_of_step(edge)
    kernels.kept.drop(uid(1))
    asking = asyncio.ensure_future(ids(edge, "kernels"))
    await served.start("kernels")
    assert await asking == [uid(2)]
    await mirrored(edge, kernels.kept, "kernels")
    assert await ids(edge, "kernels") == [uid(2)]


async def test_a_mirror_begins_anew_when_the_feed_does(edge: RunningEdge, served: Served) -> None:
    kept = served.kernels.kept
    served.kernels.put(uid(1))
    await mirrored(edge, kept, "kernels")
    await served.stop("kernels")
    await out_of_step(edge)
    lost = Kept[kernels_pb2.Kernel]()
    served.kernels.kept = lost
    served.kernels.put(uid(2))
    await served.start("kernels")
    assert await ids(edge, "kernels") == [uid(2)]
    await mirrored(edge, lost, "kernels")
    assert await ids(edge, "kernels") == [uid(2)]


async def test_without_a_position_the_services_are_asked(edge: RunningEdge, served: Served) -> None:
    kept = served.kernels.kept
    served.kernels.put(uid(1))
    await mirrored(edge, kept, "kernels")
    await served.stop("sessions")
    served.kernels.watching.lose_sight()
    await asked(edge, kept, "kernels")
    assert await ids(edge, "kernels") == [uid(1)]
    served.kernels.watching.take(await kept.snapshot())
    await mirrored(edge, kept, "kernels")


@pytest.mark.parametrize("misfit", ["kernel gone", "kernel dead", "session lost"])
async def test_sessions_that_do_not_fit_their_kernels_are_asked_for(
    edge: RunningEdge, served: Served, misfit: str
) -> None:
    kernels, sessions = served.kernels, served.sessions
    label = {"perijove.session.s1": "{}"}
    kernels.put(uid(1), execution_state=IDLE, labels=label)
    sessions.put("s1", uid(1), path="a", type="notebook")
    await mirrored(edge, sessions.kept, "sessions")
    assert await ids(edge, "sessions") == ["s1"]
    if misfit == "kernel gone":
        kernels.kept.drop(uid(1))
    elif misfit == "kernel dead":
        kernels.put(uid(1), execution_state=kernels_pb2.EXECUTION_STATE_DEAD)
    else:
        sessions.kept.drop("s1")
    await asked(edge, sessions.kept, "sessions")
    assert not await is_mirrored(edge, sessions.kept, "sessions")


async def test_a_dead_kernel_does_not_miss_its_session(edge: RunningEdge, served: Served) -> None:
    dead, label = kernels_pb2.EXECUTION_STATE_DEAD, {"perijove.session.s1": "{}"}
    served.kernels.put(uid(1), execution_state=dead, labels=label)
    await mirrored(edge, served.sessions.kept, "sessions")
    assert await ids(edge, "sessions") == []


async def test_more_than_a_mirror_holds_is_asked_for(
    make_edge: MakeEdge, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "MAX_ITEMS", 3)
    edge = await make_edge(**served.targets)
    await mirrored(edge, served.kernels.kept, "kernels")
    for number in range(5):
        served.kernels.put(uid(number))
    await asked(edge, served.kernels.kept, "kernels")
    assert len(await ids(edge, "kernels")) == 5
    assert not await is_mirrored(edge, served.kernels.kept, "kernels")
