"""Terminals as clients use them."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.conformance.client import GENEROUS_S, TIME, cookie_header
from tests.conformance.differences import differs_in
from tests.conformance.routes import HANDSHAKE
from tests.terminal_ws import TerminalSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.conformance.client import Answer, Server

API = "api/terminals"


@pytest.fixture(autouse=True)
def _none_before_and_after(server: Server) -> Iterator[None]:
    delete_all(server)
    yield
    delete_all(server)


@pytest.fixture
async def http(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"token {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        yield http


def delete_all(server: Server) -> None:
    for name in names(server):
        server.ask("DELETE", f"{API}/{name}")
    wait_until_listed(server)


def names(server: Server) -> list[str]:
    return [model["name"] for model in server.ask("GET", API).json]


def wait_until_listed(server: Server, *wanted: str) -> None:
    """Wait for a list: one that has ended may be in it for a moment."""
    deadline = time.monotonic() + GENEROUS_S
    while names(server) != list(wanted):
        assert time.monotonic() < deadline, names(server)
        time.sleep(0.05)


def create(server: Server, **body: Any) -> Answer:
    return server.ask("POST", API, json=body)


def socket(server: Server, http: aiohttp.ClientSession, name: str = "1") -> TerminalSocket:
    return TerminalSocket(http, f"{server.url.rstrip('/')}/terminals/websocket/{name}")


# REST.


def test_there_are_none_at_first(server: Server) -> None:
    answer = server.ask("GET", API)
    assert (answer.status, answer.json) == (200, [])
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("body", [None, b"", b"{}", b"null"])
def test_a_terminal_is_created_with_any_body_or_none(server: Server, body: bytes | None) -> None:
    answer = server.ask("POST", API, body=body)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert "Location" not in answer.headers
    assert set(answer.json) == {"name", "last_activity"}
    assert answer.json["name"] == "1"
    assert TIME.fullmatch(answer.json["last_activity"])


def test_a_terminal_is_listed_got_and_deleted(server: Server) -> None:
    create(server)
    create(server)
    assert names(server) == ["1", "2"]
    one = server.ask("GET", f"{API}/1")
    assert (one.status, set(one.json), one.json["name"]) == (200, {"name", "last_activity"}, "1")
    deleted = server.ask("DELETE", f"{API}/1")
    assert (deleted.status, deleted.body) == (204, b"")
    wait_until_listed(server, "2")
    assert server.ask("GET", f"{API}/1").status == 404


def test_names_are_the_smallest_free_numbers(server: Server) -> None:
    for _ in range(3):
        create(server)
    server.ask("DELETE", f"{API}/2")
    wait_until_listed(server, "1", "3")
    assert create(server).json["name"] == "2"
    assert create(server).json["name"] == "4"
    assert names(server) == ["1", "3", "2", "4"]


def test_a_name_may_be_chosen(server: Server) -> None:
    assert create(server, name="moon_1").json["name"] == "moon_1"
    assert create(server).json["name"] == "1"
    assert server.ask("GET", f"{API}/moon_1").json["name"] == "moon_1"


def test_a_name_is_one_terminal(server: Server) -> None:
    if differs_in(server, "a chosen name that is taken"):
        return
    first = create(server, name="moon").json
    again = create(server, name="moon")
    assert (again.status, again.json["name"]) == (200, first["name"])
    assert names(server) == ["moon"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("name", ["1", "nope", "_"])
def test_an_unknown_name_is_told(server: Server, method: str, name: str) -> None:
    answer = server.ask(method, f"{API}/{name}")
    assert answer.status == 404
    assert answer.json["message"] == f"Terminal not found: {name}"
    assert answer.json["reason"] is None


@pytest.mark.parametrize("name", ["a-b", "a.b", "a%20b", "%C3%BC"])
def test_what_is_no_name_is_no_address(server: Server, name: str) -> None:
    answer = server.ask("GET", f"{API}/{name}")
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_front_ends_are_told_that_there_are_terminals(server: Server) -> None:
    page = server.ask("GET", "lab").body.decode()
    assert re.search(r'"terminalsAvailable": ?true', page)


# Where the shell starts, and in what.


async def test_a_shell_starts_in_the_directory_that_is_asked_for(
    server: Server, tree: Path, http: aiohttp.ClientSession
) -> None:
    for number, cwd in enumerate(["d", "d/e", str(tree / "d")], 1):
        assert create(server, cwd=cwd).status == 200
        async with socket(server, http, str(number)) as terminal:
            wanted = tree / cwd
            await terminal.run("echo ' '$PWD' '", rf" {re.escape(str(wanted))} ")


async def test_a_directory_that_is_not_there_is_no_failure(
    server: Server, tree: Path, http: aiohttp.ClientSession
) -> None:
    assert create(server, cwd="nope").status == 200
    async with socket(server, http) as terminal:
        found = await terminal.run("echo ' '$PWD' '", r" (/\S*) \r")
        assert found[1] == str(tree) or differs_in(server, "where a shell starts")


async def test_what_a_shell_is_told(
    server: Server, tree: Path, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.run("echo ' '$TERM' '$SHLVL", " xterm-256color ")
        await terminal.run("echo ' '$JUPYTER_SERVER_ROOT' '", rf" {re.escape(str(tree))} ")
        found = await terminal.run("echo ' '$JUPYTER_SERVER_URL' '", r" (http://\S+) \r")
        assert found[1].endswith(f":{server.netloc.rpartition(':')[2]}{server.base}")
        sizes = await terminal.run(
            "env | grep -cE '^(COLUMNS|LINES)='; ec''ho over", r"(\d)\r\nover"
        )
        assert sizes[1] == "0" or differs_in(server, "the size in variables")


async def test_a_shell_is_a_login_shell_where_the_server_has_no_terminal(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.run("shopt login_shell", r"login_shell\s+on")


async def test_another_command_may_be_run(server: Server, http: aiohttp.ClientSession) -> None:
    assert create(server, shell_command=["/bin/sh", "-c", "echo m''oon; cat"]).status == 200
    async with socket(server, http) as terminal:
        await terminal.until("moon")


# The WebSocket.


async def test_the_first_message_is_setup_and_then_what_was_shown_before(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.run("echo $((6 * 7))-", r"42-")
        assert terminal.messages[0] == ["setup", {}]
    async with socket(server, http) as terminal:
        await terminal.received(2)
        assert terminal.messages[0] == ["setup", {}]
        kind, text = terminal.messages[1]
        assert kind == "stdout"
        assert "42-" in text


async def test_every_client_sees_the_same(server: Server, http: aiohttp.ClientSession) -> None:
    create(server)
    async with socket(server, http) as one, socket(server, http) as other:
        await one.run("echo $((6 * 7))-", r"42-")
        await other.until("42-")
        await other.run("echo $((7 * 7))=", "49=")
        await one.until("49=")


async def test_the_smallest_of_the_clients_decides_the_size(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as wide:
        await wide.run("stty size", "24 80")
        await wide.send("set_size", 40, 120, 800, 1200)
        await wide.run("stty size", "40 120")
        async with socket(server, http) as high:
            await high.send("set_size", 60, 100, 800, 1200)
            await wide.run("until stty size | grep '40 100'; do :; done", "40 100\r")
        await wide.run("until stty size | grep '40 120'; do :; done; ec''ho over", "over")


async def test_letters_of_every_script_go_both_ways(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.run("echo =Ж''月''🪐''é=", "=Ж月🪐é=")
        await terminal.run(r"printf '%b' 'a\xffb\n'", "a\ufffdb")


async def test_keys_reach_the_program_in_front(server: Server, http: aiohttp.ClientSession) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.run("""sh -c "echo st''arted; exec sleep 600\"""", "started")
        await asyncio.sleep(0.5)  # until the shell waits: an earlier key would be its own
        await terminal.type("\x03")
        await terminal.until(r"\^C")
        await terminal.run("echo $((6 * 7))-", "42-")


async def test_what_is_no_command_changes_nothing(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.send("nothing", 1)
        await terminal.send("setup", {})
        await terminal.run("echo $((6 * 7))-", "42-")


@pytest.mark.parametrize(
    "text", ["", "x", "{}", "5", "[]", '["stdin"]', '["stdin", 5]', '["set_size", "a", null]']
)
async def test_nonsense_does_not_close_the_socket(
    server: Server, http: aiohttp.ClientSession, text: str
) -> None:
    if differs_in(server, "nonsense to a terminal"):
        return
    create(server)
    async with socket(server, http) as terminal:
        await terminal.send_raw(text)
        await terminal.send("set_size", 0, -5, 0, 0)
        await terminal.run("echo $((6 * 7))-; stty size", "42-\r\n24 80")


async def test_a_shell_that_exits_takes_its_terminal_along(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as one, socket(server, http) as other:
        await one.type("exit\r")
        for terminal in (one, other):
            code = await terminal.closed()
            assert code == 1000 or differs_in(server, "how a socket of a terminal closes")
            assert terminal.messages[-1] == ["disconnect", 1]
    wait_until_listed(server)


async def test_a_terminal_that_is_deleted_lets_its_clients_go(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.run("echo $((6 * 7))-", "42-")
        deleted = await asyncio.to_thread(server.ask, "DELETE", f"{API}/1")
        assert deleted.status == 204
        await terminal.closed()
        assert terminal.messages[-1] == ["disconnect", 1]


async def test_a_terminal_stays_when_its_clients_leave(
    server: Server, http: aiohttp.ClientSession
) -> None:
    create(server)
    async with socket(server, http) as terminal:
        await terminal.run("moon=Ganymede; echo $((6 * 7))-", "42-")
    assert names(server) == ["1"]
    async with socket(server, http) as terminal:
        await terminal.run("echo =$moon=", "=Ganymede=")


async def test_what_happens_in_it_is_activity(server: Server, http: aiohttp.ClientSession) -> None:
    before = create(server).json["last_activity"]
    async with socket(server, http) as terminal:
        await terminal.run("echo $((6 * 7))-", "42-")
    assert server.ask("GET", f"{API}/1").json["last_activity"] > before
    assert server.ask("GET", "api/status").json["last_activity"] > before


def test_a_socket_of_no_terminal_is_refused(server: Server) -> None:
    assert server.ask("GET", "terminals/websocket/1", headers=HANDSHAKE).status == 404
    create(server)
    assert server.ask("GET", "terminals/websocket/1").status == 400
    for token in (None, "wrong"):
        refused = server.ask("GET", "terminals/websocket/1", headers=HANDSHAKE, token=token)
        assert refused.status == 403


def test_a_socket_of_another_site_is_refused(server: Server) -> None:
    create(server)
    cookie = cookie_header(server.ask("GET", "api/me"))
    headers = {**HANDSHAKE, "Cookie": cookie, "Origin": "http://other.example"}
    refused = server.ask("GET", "terminals/websocket/1", headers=headers, token=None)
    assert refused.status == 403
