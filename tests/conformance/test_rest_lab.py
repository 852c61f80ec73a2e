"""Settings and workspaces of JupyterLab, as it uses them."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.client import TIME
from tests.conformance.differences import differs_in
from tests.conformance.given import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.client import Answer, Server

THEMES = "@jupyterlab/apputils-extension:themes"
ONE = f"lab/api/settings/{THEMES}"
TEXT = '{\n  // night\n  "theme": "JupyterLab Dark",\n}'


@pytest.fixture
def theme(server: Server) -> Iterator[str]:
    """Let a test change the theme, and set it back."""
    yield ONE
    assert server.ask("PUT", ONE, json={"raw": "{}"}).status == 204


def test_settings_are_listed_last_id_first(server: Server) -> None:
    for slash in ("", "/"):
        listed = server.ask("GET", f"lab/api/settings{slash}").json["settings"]
        ids = [model["id"] for model in listed]
        assert THEMES in ids
        assert ids == sorted(ids, reverse=True)
        keys = {"id", "schema", "version", "raw", "settings", "last_modified", "created"}
        assert all(set(model) >= keys for model in listed)
        short = server.ask("GET", f"lab/api/settings{slash}?ids_only=true").json
        assert short == {"settings": [{"id": one} for one in ids]}


def test_settings_that_nobody_made_are_empty(server: Server) -> None:
    one = "@jupyterlab/apputils-extension:palette"
    model = server.ask("GET", f"lab/api/settings/{one}").json
    assert (model["id"], model["raw"], model["settings"]) == (one, "{}", {})
    assert (model["last_modified"], model["created"]) == (None, None)
    assert model["schema"]["type"] == "object"
    assert model["version"]


def test_settings_are_kept_as_they_were_written(server: Server, theme: str) -> None:
    put = server.ask("PUT", theme, json={"raw": TEXT})
    assert (put.status, put.body) == (204, b"")
    assert "Content-Type" not in put.headers
    quoted = theme.replace("@", "%40").replace(":", "%3A")
    for target in (theme, quoted):
        model = server.ask("GET", target).json
        assert (model["raw"], model["settings"]) == (TEXT, {"theme": "JupyterLab Dark"})
    assert _is_time(server, model["last_modified"])
    assert _is_time(server, model["created"])
    listed = server.ask("GET", "lab/api/settings").json["settings"]
    assert [one["raw"] for one in listed if one["id"] == THEMES] == [TEXT]


def test_settings_that_are_refused_change_nothing(server: Server, theme: str) -> None:
    assert server.ask("PUT", theme, json={"raw": TEXT}).status == 204
    assert server.ask("PUT", theme, json={"raw": '{"theme": 5}'}).status == 400
    assert server.ask("GET", theme).json["raw"] == TEXT


@pytest.fixture
def space(server: Server) -> Iterator[str]:
    """Return the name of a workspace, and forget it."""
    name = f"w-{uuid.uuid4()}"
    yield name
    server.ask("DELETE", f"lab/api/workspaces/{name}")


def test_workspace_that_was_never_stored_is_empty(server: Server, space: str) -> None:
    answer = server.ask("GET", f"lab/api/workspaces/{space}")
    assert (answer.status, answer.json) == (200, {"data": {}, "metadata": {"id": f"/{space}"}})


@pytest.mark.parametrize("slash", ["", "/"])
def test_workspace_is_kept_listed_and_forgotten(slash: str, server: Server, space: str) -> None:
    one, data = f"lab/api/workspaces/{space}", {"layout-restorer:data": {"é": [1, None]}}
    put = _store(server, space, slash + space, data)
    assert (put.status, put.body) == (204, b"")
    model = server.ask("GET", one).json
    assert set(model) == {"data", "metadata"}
    assert (model["data"], model["metadata"]["id"]) == (data, slash + space)
    assert _is_time(server, model["metadata"]["last_modified"])
    assert _is_time(server, model["metadata"]["created"])
    for target in ("lab/api/workspaces", "lab/api/workspaces/"):
        listed = server.ask("GET", target).json["workspaces"]
        assert listed["ids"] == [value["metadata"]["id"] for value in listed["values"]]
        assert model in listed["values"]
    deleted = server.ask("DELETE", one)
    assert (deleted.status, deleted.body) == (204, b"")
    assert server.ask("DELETE", one).status == 404
    assert server.ask("GET", one).json["data"] == {}


def test_workspace_may_have_any_name(server: Server, space: str) -> None:
    quoted = f"lab/api/workspaces/{space}%20%C3%A9"
    for said in (f"{space}%20%C3%A9", f"/{space} é", f"{space} é"):
        body = json.dumps({"data": {}, "metadata": {"id": said}}).encode()
        assert server.ask("PUT", quoted, body=body).status == 204
        assert server.ask("GET", quoted).json["metadata"]["id"] == said
    assert server.ask("DELETE", quoted).status == 204


def test_workspace_is_replaced(server: Server, space: str) -> None:
    for number in range(2):
        assert _store(server, space, space, {"n": number}).status == 204
    assert server.ask("GET", f"lab/api/workspaces/{space}").json["data"] == {"n": 1}


def test_what_is_kept_is_where_jupyterlab_reads_it(server: Server, theme: str, space: str) -> None:
    if server.config is None:
        pytest.skip("the server's configuration is out of reach")
    assert server.ask("PUT", theme, json={"raw": TEXT}).status == 204
    assert _store(server, space, f"/{space}", {"\u00e9": 1}).status == 204
    package, _, plugin = THEMES.partition(":")
    settings = server.config / "lab" / "user-settings" / package / f"{plugin}.jupyterlab-settings"
    assert settings.read_text() == TEXT
    digest = hashlib.sha256(space.encode()).hexdigest()[:4]
    place = server.config / "lab" / "workspaces" / f"{space}-{digest}.jupyterlab-workspace"
    assert json.loads(place.read_bytes())["data"] == {"\u00e9": 1}


def test_what_jupyterlab_kept_is_read(server: Server, theme: str, space: str) -> None:
    if server.config is None:
        pytest.skip("the server's configuration is out of reach")
    package, _, plugin = THEMES.partition(":")
    stored = {"data": {"old": 1}, "metadata": {"id": space}}
    # JupyterLab names a workspace's file by a form of its name and its digest.
    digest = hashlib.sha256(space.encode()).hexdigest()[:4]
    put(
        server.config / "lab",
        {
            f"user-settings/{package}/{plugin}.jupyterlab-settings": TEXT,
            f"workspaces/{space}-{digest}.jupyterlab-workspace": stored,
        },
    )
    assert server.ask("GET", theme).json["raw"] == TEXT
    assert server.ask("GET", f"lab/api/workspaces/{space}").json["data"] == {"old": 1}
    assert space in server.ask("GET", "lab/api/workspaces").json["workspaces"]["ids"]


def _store(server: Server, name: str, own: str, data: dict[str, Any]) -> Answer:
    body = {"data": data, "metadata": {"id": own}}
    return server.ask("PUT", f"lab/api/workspaces/{name}", json=body)


def _is_time(server: Server, text: str) -> bool:
    if differs_in(server, "times of settings"):
        text = text.replace("+00:00", "Z")
    return TIME.fullmatch(text) is not None
