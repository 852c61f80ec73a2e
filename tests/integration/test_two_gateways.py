"""Two gateways before the same services show the same, and a restart loses nothing."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.gateways import another_gateway
from tests.running import GENEROUS_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import RunningPerijove

THEMES = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
WORKSPACE = {"data": {"a": [1]}, "metadata": {"id": "two-gateways"}}
KEPT: dict[str, tuple[Any, Any]] = {
    "/api/config/two_gateways": ({"a": {"b": 1}}, {"a": {"b": 1}}),
    THEMES: ({"raw": '{"theme": "JupyterLab Dark"}'}, '{"theme": "JupyterLab Dark"}'),
    "/lab/api/workspaces/two-gateways": (WORKSPACE, {"a": [1]}),
    "/api/contents/two.txt": ({"type": "file", "format": "text", "content": "x"}, "x"),
}
"""What is sent to each address, and the essence of what is then read."""


@pytest.fixture
def second(perijove: RunningPerijove) -> Iterator[int]:
    """Run another gateway beside the first, and return its port."""
    with another_gateway(perijove) as port:
        yield port


def ask(port: int, token: str, method: str, target: str, value: object = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GENEROUS_S)
    try:
        body = None if value is None else json.dumps(value).encode()
        connection.request(method, target, body, {"Authorization": f"token {token}"})
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


def essence(model: dict[str, Any]) -> object:
    return model.get("raw") or model.get("data") or model.get("content") or model


def test_two_gateways_show_the_same_and_a_restart_loses_nothing(
    perijove: RunningPerijove, second: int
) -> None:
    first, token = urlsplit(perijove.url).port, perijove.token
    assert first
    for target, (sent, _) in KEPT.items():
        assert ask(first, token, "PUT", target, sent)[0] in (200, 201, 204)
    for port in (first, second):
        for target, (_, expected) in KEPT.items():
            assert essence(ask(port, token, "GET", target)[1]) == expected
    changed = ask(second, token, "PATCH", "/api/config/two_gateways", {"a": {"c": 2}})[1]
    assert changed == {"a": {"b": 1, "c": 2}}
    assert ask(second, token, "DELETE", "/lab/api/workspaces/two-gateways")[0] == 204
    killed = perijove.kill("contents")
    wait_for(lambda: perijove.pid("contents") not in (0, killed))
    for port in (first, second):
        assert ask(port, token, "GET", "/api/config/two_gateways")[1] == changed
        assert ask(port, token, "GET", "/lab/api/workspaces/two-gateways")[1]["data"] == {}
        assert essence(ask(port, token, "GET", THEMES)[1]) == KEPT[THEMES][1]
