"""What counts as activity, which idle cullers look at; and reports of browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server


def _last_activity(server: Server) -> str:
    return str(server.ask("GET", "api/status").json["last_activity"])


@pytest.mark.parametrize("target", ["api/kernels", "api/contents/a.txt", "api/sessions", "api/me"])
def test_requests_of_users_are_activity(target: str, server: Server, tree: Path) -> None:
    before = _last_activity(server)
    assert server.ask("GET", target).status == 200
    assert _last_activity(server) > before
    assert tree.exists()


@pytest.mark.parametrize(
    "target",
    ["api/status", "api", "api/resolvePath?path=a.txt", "api/kernels?no_track_activity=1"],
)
def test_requests_of_programs_that_watch_are_none(target: str, server: Server, tree: Path) -> None:
    before = _last_activity(server)
    assert server.ask("GET", target).status == 200
    assert _last_activity(server) == before
    assert tree.exists()


def test_reports_of_browsers_are_no_activity_and_need_a_credential(server: Server) -> None:
    before = _last_activity(server)
    body = b'{"csp-report": {"violated-directive": "frame-ancestors"}}'
    assert server.ask("POST", "api/security/csp-report", body=body).status == 200
    assert _last_activity(server) == before
    refused = server.ask("POST", "api/security/csp-report", body=body, token=None)
    assert refused.status == 403


def test_strangers_are_no_activity(server: Server) -> None:
    before = _last_activity(server)
    assert server.ask("GET", "api/kernels", token=None).status == 403
    assert _last_activity(server) == before
