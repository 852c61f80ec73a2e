"""What holds for the whole REST API, and the small services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conformance.differences import differs_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server


def test_version_is_public_and_says_nothing_of_the_software(server: Server) -> None:
    answer = server.ask("GET", "api", token=None)
    assert answer.status == 200
    assert set(answer.json) == {"version"}
    assert answer.headers["Content-Type"] == "application/json"
    if not differs_in(server, "the name of the server"):
        assert not re.search(r"\d|aiohttp|Python", answer.headers["Server"])


@pytest.mark.parametrize(
    ("target", "extra"),
    [
        ("api/status", "; default-src 'none'"),
        ("api", "; default-src 'none'"),
        ("api/contents/a.txt", "; default-src 'none'"),
        ("api/contents/nope", "; default-src 'none'"),
        ("api/contents/a.txt/checkpoints", "; default-src 'none'"),
        ("api/config/section", "; default-src 'none'"),
        ("api/nbconvert", "; default-src 'none'"),
        ("api/resolvePath?path=a.txt", "; default-src 'none'"),
        ("lab/api/workspaces", "; default-src 'none'"),
        ("files/a.txt", "; sandbox allow-scripts"),
        ("files/nope", "; sandbox allow-scripts"),
        ("files/d", "; sandbox allow-scripts"),
        ("nbconvert/html/broken.ipynb", "; sandbox allow-scripts"),
        ("view/a.txt", ""),
        ("login", ""),
        ("nope", ""),
    ],
)
def test_every_answer_has_a_policy(target: str, extra: str, server: Server, tree: Path) -> None:
    answer = server.ask("GET", target)
    report = f"report-uri {server.base}api/security/csp-report"
    assert answer.headers["Content-Security-Policy"] == f"frame-ancestors 'self'; {report}{extra}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert tree.exists()


def test_trailing_slashes_are_taken_off(server: Server) -> None:
    for target in ("/foo/", "//foo///", "////foo/?a=b%20c"):
        answer = server.ask("GET", target, token=None)
        assert answer.status == 302
        expected = "/foo?a=b%20c" if "?" in target else "/foo"
        assert answer.headers["Location"] == expected


def test_redirect_of_slashes_stays_on_the_host(server: Server) -> None:
    answer = server.ask("GET", "//evil.example//", token=None)
    assert answer.headers["Location"] == "/evil.example"


def test_root_leads_to_the_front_end_with_its_query(server: Server) -> None:
    answer = server.ask("GET", "?token=abc", token=None)
    if differs_in(server, "the front page"):
        return
    assert answer.status == 302
    assert answer.headers["Location"] == f"{server.base}lab?token=abc"


def test_tag_spares_an_answer_that_the_client_has(server: Server) -> None:
    answer = server.ask("GET", "api/kernelspecs")
    again = server.ask("GET", "api/kernelspecs", headers={"If-None-Match": answer.headers["Etag"]})
    assert again.status == 304
    assert again.body == b""
    assert "Content-Type" not in again.headers


def test_violated_policy_is_reported(server: Server) -> None:
    headers = {"Origin": "http://other.example"}
    answer = server.ask(
        "POST", "api/security/csp-report", body=b'{"csp-report": {}}', headers=headers
    )
    assert (answer.status, answer.body) == (200, b"")


def test_metrics_need_a_credential(server: Server) -> None:
    assert server.ask("GET", "metrics", token=None).status == 403
    answer = server.ask("GET", "metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert server.token.encode() not in answer.body
    for name in (
        "http_request_duration_seconds_count{",
        'jupyter_server_info{version="',
        "jupyter_server_last_activity_timestamp_seconds ",
        "jupyter_server_started_timestamp_seconds ",
        "jupyter_server_active_duration_seconds ",
        "terminal_currently_running_total ",
        "process_resident_memory_bytes ",
        "python_info{",
    ):
        assert f"\n{name}".encode() in answer.body
