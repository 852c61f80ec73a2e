"""Events as clients publish and follow them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.conformance.client import GENEROUS_S
from tests.conformance.differences import differs_in
from tests.kernel_sockets import Socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conformance.client import Answer, Server
    from tests.conformance.conftest import StartServer

CORE = "https://events.jupyter.org/jupyter_server/"
CONTENTS = f"{CORE}contents_service/v1"
KERNELS = f"{CORE}kernel_actions/v1"
GATEWAY = f"{CORE}gateway_client/v1"

GOOD = {"schema_id": GATEWAY, "version": "1", "data": {"status": "success", "msg": "ä"}}
"""An event that clients may publish, on any server."""


class Subscriber:
    """A front end that follows events."""

    def __init__(self, server: Server, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._server = server
        self.websocket = websocket
        self.events: list[dict[str, Any]] = []

    async def ask(self, method: str, target: str, **given: Any) -> Answer:
        """Send a request while events are waited for."""
        return await asyncio.to_thread(self._server.ask, method, target, **given)

    async def until(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the events up to one that has the wanted members."""
        async with asyncio.timeout(GENEROUS_S):
            while True:
                message = await self.websocket.receive()
                assert message.type is aiohttp.WSMsgType.TEXT, message
                event = json.loads(message.data)
                self.events.append(event)
                if wanted.items() <= event.items():
                    return self.events

    async def done(self, *actions: tuple[str, str, Any]) -> list[dict[str, Any]]:
        """Do something with contents; return what is told of it, but for the schema."""
        before = len(self.events)
        for method, target, body in actions:
            answer = await self.ask(method, target, json=body)
            assert answer.status < 300, answer.body
        last = f"{uuid.uuid4()}.txt"
        await self.ask("PUT", f"api/contents/{last}", json=TEXT)
        await self.until(schema_id=CONTENTS, action="save", path=last)
        told = [event for event in self.events[before:] if event["schema_id"] == CONTENTS]
        assert [event["path"] for event in told[-2:]] == [last, last]
        return [
            {key: value for key, value in event.items() if key != "schema_id"}
            for event in told[:-2]
        ]


TEXT = {"type": "file", "format": "text", "content": "x"}


@pytest.fixture
async def http(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"token {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        yield http


@contextlib.asynccontextmanager
async def following(server: Server, http: aiohttp.ClientSession) -> AsyncIterator[Subscriber]:
    async with http.ws_connect(f"{server.url}api/events/subscribe") as websocket:
        yield Subscriber(server, websocket)


@pytest.fixture
async def subscriber(server: Server, http: aiohttp.ClientSession) -> AsyncIterator[Subscriber]:
    async with following(server, http) as subscriber:
        yield subscriber


def got(path: str) -> dict[str, str]:
    return {"action": "get", "path": path}


def saved(path: str) -> list[dict[str, str]]:
    return [got(path), {"action": "save", "path": path}]


async def test_a_published_event_reaches_all_who_follow(
    server: Server, http: aiohttp.ClientSession
) -> None:
    async with following(server, http) as one, following(server, http) as other:
        answer = await one.ask("POST", "api/events", json=GOOD)
        assert (answer.status, answer.body) == (204, b"")
        for follower in (one, other):
            assert await follower.until(msg="ä") == [
                {"schema_id": GATEWAY, "status": "success", "msg": "ä"}
            ]


@pytest.mark.parametrize(
    "more",
    [
        {"version": 1},
        {"timestamp": "2022-05-26T13:50:00+05:00Z"},
        {"timestamp": "2022-05-26T13:50:00+0000Z"},
        {"another": "member"},
    ],
    ids=["version-number", "timestamp", "timestamp-of-utc", "more-members"],
)
async def test_an_event_is_taken_in_every_form(
    subscriber: Subscriber, more: dict[str, Any]
) -> None:
    text = uuid.uuid4().hex
    data = {"status": "error", "msg": text, "status_code": 502.5, "unknown": [None]}
    answer = await subscriber.ask("POST", "api/events", json={**GOOD, "data": data, **more})
    assert answer.status == 204, answer.body
    told = await subscriber.until(msg=text)
    assert told[-1] == {"schema_id": GATEWAY, **data}


WRONG = {
    "no-schema": {**GOOD, "schema_id": None},
    "schema-missing": {"version": "1", "data": {}},
    "schema-unknown": {**GOOD, "schema_id": "urn:nobody"},
    "schema-number": {**GOOD, "schema_id": 1},
    "version-missing": {"schema_id": GATEWAY, "data": GOOD["data"]},
    "version-unknown": {**GOOD, "version": "2"},
    "version-null": {**GOOD, "version": None},
    "data-missing": {"schema_id": GATEWAY, "version": "1"},
    "data-null": {**GOOD, "data": None},
    "data-list": {**GOOD, "data": []},
    "data-text": {**GOOD, "data": "x"},
    "data-lacks-a-member": {**GOOD, "data": {"status": "success"}},
    "data-has-a-wrong-value": {**GOOD, "data": {"status": "maybe", "msg": ""}},
    "data-has-a-wrong-type": {**GOOD, "data": {"status": "success", "msg": 1}},
    "kernel-without-id": {
        "schema_id": KERNELS,
        "version": "1",
        "data": {"action": "start", "status": "success", "msg": ""},
    },
    "timestamp-null": {**GOOD, "timestamp": None},
    "timestamp-number": {**GOOD, "timestamp": 1},
    "timestamp-without-offset": {**GOOD, "timestamp": "2022-05-26T13:50:00Z"},
    "nothing": {},
    "list": [1],
    "text": "x",
    "null": None,
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
async def test_a_wrong_event_is_refused_and_told_nobody(subscriber: Subscriber, body: Any) -> None:
    answer = await subscriber.ask("POST", "api/events", body=json.dumps(body).encode())
    assert answer.status == 400, answer.body
    assert answer.json["message"]
    assert (await subscriber.ask("POST", "api/events", json=GOOD)).status == 204
    assert len(await subscriber.until(msg="ä")) == 1


async def test_what_is_missing_is_named(subscriber: Subscriber) -> None:
    for name in ("schema_id", "version", "data"):
        body = {key: value for key, value in GOOD.items() if key != name}
        answer = await subscriber.ask("POST", "api/events", json=body)
        assert answer.json["message"] == f"Missing `{name}` in the JSON request body."


async def test_what_is_no_json_is_refused(subscriber: Subscriber) -> None:
    for body in (b"{", b"{}x", b""):
        assert (await subscriber.ask("POST", "api/events", body=body)).status == 400


async def test_events_are_for_users(server: Server) -> None:
    assert server.ask("POST", "api/events", json=GOOD, token=None).status == 403
    assert server.ask("POST", "api/events", json=GOOD, token="wrong").status == 403
    for token in (None, "wrong"):
        headers = {"Authorization": f"token {token}"} if token else {}
        async with aiohttp.ClientSession(headers=headers) as http:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(f"{server.url}api/events/subscribe")
            assert refused.value.status == 403


async def test_what_a_client_says_to_the_socket_is_ignored(
    server: Server, subscriber: Subscriber
) -> None:
    await subscriber.websocket.send_str("nonsense")
    await subscriber.websocket.send_bytes(b"\xff")
    if differs_in(server, "what a client says to the socket of events"):
        assert (await subscriber.websocket.receive()).type is not aiohttp.WSMsgType.TEXT
        return
    assert (await subscriber.ask("POST", "api/events", json=GOOD)).status == 204
    assert len(await subscriber.until(msg="ä")) == 1


@pytest.mark.usefixtures("tree")
async def test_reading_is_told(subscriber: Subscriber) -> None:
    told = await subscriber.done(
        ("GET", "api/contents/a.txt", None),
        ("GET", "api/contents/d/c.txt?content=0", None),
        ("GET", "api/contents/n.ipynb", None),
    )
    assert told == [got("a.txt"), got("d/c.txt"), got("n.ipynb")]


@pytest.mark.usefixtures("tree")
async def test_a_download_is_told(server: Server, subscriber: Subscriber) -> None:
    told = await subscriber.done(("GET", "files/a.txt", None))
    assert told == [] if differs_in(server, "a download is told") else [got("a.txt")]


@pytest.mark.usefixtures("tree")
async def test_a_listing_is_told(server: Server, subscriber: Subscriber) -> None:
    told = await subscriber.done(("GET", "api/contents/d", None))
    if differs_in(server, "what is listed is read"):
        assert told[:-1] in ([got("d/c.txt"), got("d/e")], [got("d/e"), got("d/c.txt")])
        told = told[-1:]
    assert told == [got("d")]
    assert await subscriber.done(("GET", "api/contents/d?content=0", None)) == [got("d")]


@pytest.mark.usefixtures("tree")
async def test_what_is_absent_is_not_told(subscriber: Subscriber) -> None:
    for method, target, body in (
        ("GET", "api/contents/nothing", None),
        ("DELETE", "api/contents/nothing", None),
        ("PATCH", "api/contents/nothing", {"path": "x"}),
        ("POST", "api/contents", {"copy_from": "nothing"}),
    ):
        assert (await subscriber.ask(method, target, json=body)).status >= 400
    assert await subscriber.done() == []


async def test_saving_is_told(subscriber: Subscriber, tree: Path) -> None:
    notebook = json.loads((tree / "n.ipynb").read_text())
    told = await subscriber.done(
        ("PUT", "api/contents/a.txt", TEXT),
        ("PUT", "api/contents/d/new.txt", TEXT),
        ("PUT", "api/contents/n.ipynb", {"type": "notebook", "content": notebook}),
        ("PUT", "api/contents/directory", {"type": "directory"}),
        ("PUT", "api/contents/parts", {**TEXT, "chunk": 1}),
        ("PUT", "api/contents/parts", {**TEXT, "chunk": -1}),
    )
    paths = ("a.txt", "d/new.txt", "n.ipynb", "directory", "parts", "parts")
    assert told == [event for path in paths for event in saved(path)]


@pytest.mark.usefixtures("tree")
async def test_creating_is_told(subscriber: Subscriber) -> None:
    told = await subscriber.done(
        ("POST", "api/contents/d", {"type": "notebook"}),
        ("POST", "api/contents/d", {"type": "directory"}),
        ("POST", "api/contents/d", {"type": "file", "ext": ".md"}),
    )
    paths = ("d/Untitled.ipynb", "d/Untitled Folder", "d/untitled.md")
    assert told == [event for path in paths for event in saved(path)]


@pytest.mark.usefixtures("tree")
async def test_copying_is_told(server: Server, subscriber: Subscriber) -> None:
    told = await subscriber.done(("POST", "api/contents/d", {"copy_from": "a.txt"}))
    copied = {"action": "copy", "path": "d/a.txt", "source_path": "a.txt"}
    if differs_in(server, "what is copied is read once"):
        assert told.pop(0) == got("a.txt")
    assert told == [got("a.txt"), *saved("d/a.txt"), copied]
    told = await subscriber.done(("POST", "api/contents", {"copy_from": "d"}))
    if not differs_in(server, "the copy of a directory is told"):
        assert told[-1] == {"action": "copy", "path": "d-Copy1", "source_path": "d"}


@pytest.mark.usefixtures("tree")
async def test_renaming_is_told(subscriber: Subscriber) -> None:
    told = await subscriber.done(
        ("PATCH", "api/contents/d/c.txt", {"path": "moved.txt"}),
        ("PATCH", "api/contents/a.txt", {"path": "a.txt"}),
    )
    renamed = {"action": "rename", "path": "moved.txt", "source_path": "d/c.txt"}
    assert told == [renamed, got("moved.txt"), got("a.txt")]


@pytest.mark.usefixtures("tree")
async def test_deleting_is_told(subscriber: Subscriber) -> None:
    told = await subscriber.done(
        ("DELETE", "api/contents/a.txt", None), ("DELETE", "api/contents/d/e", None)
    )
    assert told == [{"action": "delete", "path": "a.txt"}, {"action": "delete", "path": "d/e"}]


async def test_the_life_of_a_kernel_is_told(subscriber: Subscriber) -> None:
    started = await subscriber.ask("POST", "api/kernels", json={"name": "python3"})
    kernel_id = started.json["id"]
    one = f"api/kernels/{kernel_id}"
    assert (await subscriber.ask("POST", f"{one}/interrupt")).status == 204
    assert (await subscriber.ask("POST", f"{one}/restart")).status == 200
    assert (await subscriber.ask("DELETE", one)).status == 204
    told = await subscriber.until(action="shutdown", kernel_id=kernel_id)
    past = {"start": "started", "interrupt": "interrupted", "restart": "restarted"}
    assert [event for event in told if event["schema_id"] == KERNELS] == [
        {
            "schema_id": KERNELS,
            "kernel_name": "python3",
            "kernel_id": kernel_id,
            "action": action,
            "status": "success",
            "msg": f"Kernel {kernel_id} was {past.get(action, action)}.",
        }
        for action in ("start", "interrupt", "restart", "shutdown")
    ]


@pytest.mark.usefixtures("tree")
async def test_the_kernel_of_a_session_is_told(subscriber: Subscriber) -> None:
    body = {"path": "d/n.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    session = (await subscriber.ask("POST", "api/sessions", json=body)).json
    kernel_id = session["kernel"]["id"]
    await subscriber.until(action="start", status="success", kernel_id=kernel_id)
    again = await subscriber.ask("POST", "api/sessions", json=body)
    assert again.json["id"] == session["id"]
    assert (await subscriber.ask("DELETE", f"api/sessions/{session['id']}")).status == 204
    told = await subscriber.until(action="shutdown", status="success", kernel_id=kernel_id)
    actions = [event["action"] for event in told if event["schema_id"] == KERNELS]
    assert actions == ["start", "shutdown"]


async def test_a_kernel_that_cannot_start_is_told(subscriber: Subscriber) -> None:
    answer = await subscriber.ask("POST", "api/kernels", json={"name": "nobody-has-it"})
    assert answer.status >= 400
    told = await subscriber.until(schema_id=KERNELS)
    assert (told[-1]["action"], told[-1]["status"]) == ("start", "error")
    assert told[-1]["msg"]


async def test_an_unknown_kernel_is_not_told(subscriber: Subscriber) -> None:
    one = f"api/kernels/{uuid.uuid4()}"
    assert (await subscriber.ask("POST", f"{one}/interrupt")).status == 404
    assert (await subscriber.ask("DELETE", one)).status == 404
    assert (await subscriber.ask("POST", "api/events", json=GOOD)).status == 204
    assert len(await subscriber.until(msg="ä")) == 1


async def test_a_kernel_that_dies_is_told_to_be_restarted(
    subscriber: Subscriber, http: aiohttp.ClientSession, server: Server
) -> None:
    started = await subscriber.ask("POST", "api/kernels", json={"name": "python3"})
    kernel_id = started.json["id"]
    websocket = await http.ws_connect(f"{server.url}api/kernels/{kernel_id}/channels")
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    await Socket(websocket).execute(code)
    told = await subscriber.until(action="restart", kernel_id=kernel_id)
    assert (told[-1]["status"], told[-1]["kernel_name"]) == ("success", "python3")
    await websocket.close()
    assert (await subscriber.ask("DELETE", f"api/kernels/{kernel_id}")).status == 204
    told = await subscriber.until(action="shutdown", kernel_id=kernel_id)
    actions = [event["action"] for event in told if event["schema_id"] == KERNELS]
    assert actions == ["start", "restart", "shutdown"]


async def test_a_kernel_that_is_culled_is_told_to_be_shut_down(start_server: StartServer) -> None:
    server = start_server(cull_idle_s=1, cull_interval_s=1)
    headers = {"Authorization": f"token {server.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        following(server, http) as subscriber,
    ):
        started = await subscriber.ask("POST", "api/kernels", json={"name": "python3"})
        kernel_id = started.json["id"]
        told = await subscriber.until(action="shutdown", kernel_id=kernel_id)
        assert told[-1]["msg"] == f"Kernel {kernel_id} was shutdown."
