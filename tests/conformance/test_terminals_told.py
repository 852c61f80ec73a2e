"""Terminals where the server is told otherwise."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.conformance.client import GENEROUS_S

if TYPE_CHECKING:
    from tests.conformance.conftest import StartServer


def test_there_are_none_if_that_is_said(start_server: StartServer) -> None:
    server = start_server(terminals=False)
    assert server.ask("GET", "api/terminals").status == 404
    assert server.ask("POST", "api/terminals").status == 404
    page = server.ask("GET", "lab").body.replace(b" ", b"")
    assert b'"terminalsAvailable":false' in page


def test_one_in_which_nothing_happens_is_ended(start_server: StartServer) -> None:
    server = start_server(terminal_cull_idle_s=2, terminal_cull_interval_s=1)
    name = server.ask("POST", "api/terminals").json["name"]
    deadline = time.monotonic() + GENEROUS_S
    while server.ask("GET", f"api/terminals/{name}").status != 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert server.ask("GET", "api/terminals").json == []
