"""Sessions in all their forms: what is asked, what comes back, and what becomes of the kernel."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conformance.client import Answer, Server


class Sessions:
    """Makes sessions, and ends them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._made: list[str] = []

    def post(self, **body: Any) -> Answer:
        answer = self.server.ask("POST", "api/sessions", json=body)
        if answer.status == 201:
            self._made.append(answer.json["id"])
        return answer

    def made(self, path: str = "d/n.ipynb", kind: str = "notebook", **body: Any) -> dict[str, Any]:
        """Make a session and return its model."""
        answer = self.post(path=path, type=kind, **body)
        assert answer.status == 201, answer.body
        return dict(answer.json)

    def patch(self, session: dict[str, Any], **body: Any) -> Answer:
        return self.server.ask("PATCH", f"api/sessions/{session['id']}", json=body)

    def get(self, session: dict[str, Any]) -> Answer:
        return self.server.ask("GET", f"api/sessions/{session['id']}")

    def ids(self) -> list[str]:
        return [session["id"] for session in self.server.ask("GET", "api/sessions").json]

    def kernel(self) -> str:
        """Start a kernel of no session."""
        answer = self.server.ask("POST", "api/kernels", json={})
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    def runs(self, kernel_id: str) -> bool:
        return self.server.ask("GET", f"api/kernels/{kernel_id}").status == 200

    def end(self) -> None:
        for session_id in self._made:
            self.server.ask("DELETE", f"api/sessions/{session_id}")
        for kernel in self.server.ask("GET", "api/kernels").json:
            self.server.ask("DELETE", f"api/kernels/{kernel['id']}")


@pytest.fixture
def sessions(server: Server, tree: Path) -> Iterator[Sessions]:
    sessions = Sessions(server)
    yield sessions
    sessions.end()
    assert tree.exists()


@pytest.mark.parametrize("kind", ["console", "file", "what a front end likes"])
def test_any_type_will_do_and_only_notebooks_are_told_twice(sessions: Sessions, kind: str) -> None:
    session = sessions.made("d/x.txt", kind, name="x")
    assert set(session) == {"id", "path", "name", "type", "kernel"}
    assert (session["path"], session["type"], session["name"]) == ("d/x.txt", kind, "x")
    assert sessions.get(session).json["type"] == kind


def test_a_session_without_a_name_has_none(sessions: Sessions) -> None:
    session = sessions.made()
    assert session["name"] is None
    assert session["notebook"] == {"path": "d/n.ipynb", "name": None}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"type": "notebook"}, "Missing field in JSON data: path"),
        ({"path": "d/n.ipynb"}, "Missing field in JSON data: type"),
    ],
)
def test_what_is_missing_is_named(sessions: Sessions, body: dict[str, Any], message: str) -> None:
    answer = sessions.post(**body)
    assert (answer.status, answer.json["message"]) == (400, message)
    assert sessions.ids() == []


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_nothing_at_all_is_too_little(sessions: Sessions, method: str) -> None:
    session = sessions.made()
    path = "api/sessions" if method == "POST" else f"api/sessions/{session['id']}"
    answer = sessions.server.ask(method, path)
    assert (answer.status, answer.json["message"]) == (400, "No JSON data provided")


@pytest.mark.parametrize("kernel", [{}, {"name": None, "id": None}, {"name": ""}])
def test_no_kernel_in_particular_is_the_default_one(
    sessions: Sessions, kernel: dict[str, Any]
) -> None:
    assert sessions.made(kernel=kernel)["kernel"]["name"] == "python3"


def test_the_session_of_a_path_is_as_it_is_whatever_is_asked(sessions: Sessions) -> None:
    session = sessions.made(name="n")
    other = sessions.kernel()
    again = sessions.post(path="d/n.ipynb", type="console", name="m", kernel={"id": other})
    assert again.status == 201
    kept = ("id", "path", "name", "type")
    assert [again.json[key] for key in kept] == [session[key] for key in kept]
    assert again.json["kernel"]["id"] == session["kernel"]["id"]
    location = f"{sessions.server.base}api/sessions/{session['id']}"
    assert again.headers["Location"] == location
    assert sessions.runs(other)


def test_a_running_kernel_can_be_attached_to(sessions: Sessions) -> None:
    kernel_id = sessions.kernel()
    first = sessions.made("a.ipynb", kernel={"id": kernel_id, "name": "ignored"})
    second = sessions.made("b", "console", kernel={"id": kernel_id})
    assert first["kernel"]["id"] == second["kernel"]["id"] == kernel_id
    assert first["id"] != second["id"]
    assert sorted(sessions.ids()) == sorted([first["id"], second["id"]])


def test_an_unused_id_of_a_kernel_is_the_id_of_a_new_one(sessions: Sessions) -> None:
    kernel_id = str(uuid.uuid4())
    session = sessions.made(kernel={"id": kernel_id, "name": "python3"})
    assert session["kernel"]["id"] == kernel_id
    assert sessions.runs(kernel_id)


def test_an_unknown_kernelspec_is_explained(sessions: Sessions) -> None:
    answer = sessions.post(path="d/n.ipynb", type="notebook", kernel={"name": "nope"})
    assert answer.status == 501
    assert answer.json["short_message"] == "nope not found"
    assert answer.json["message"] == (
        "The 'nope' kernel is not available. Please pick another suitable kernel "
        "instead, or install that kernel."
    )


def test_a_change_to_an_unknown_kernelspec_changes_nothing(sessions: Sessions) -> None:
    session = sessions.made()
    answer = sessions.patch(session, kernel={"name": "nope"}, name="new")
    assert answer.status == 501
    assert answer.json["short_message"] == "Error starting kernel nope"
    assert answer.json["message"].startswith("The 'nope' kernel could not be started: '")
    kept = sessions.get(session).json
    assert (kept["name"], kept["kernel"]["id"]) == (None, session["kernel"]["id"])


def test_a_change_to_another_running_kernel_ends_the_old_one(sessions: Sessions) -> None:
    session = sessions.made()
    other = sessions.kernel()
    changed = sessions.patch(session, kernel={"id": other, "name": "ignored"})
    assert changed.status == 200
    assert (changed.json["id"], changed.json["kernel"]["id"]) == (session["id"], other)
    assert not sessions.runs(session["kernel"]["id"])


def test_a_change_to_no_running_kernel_is_refused(sessions: Sessions) -> None:
    session = sessions.made()
    unknown = str(uuid.uuid4())
    answer = sessions.patch(session, kernel={"id": unknown})
    assert (answer.status, answer.json["message"]) == (400, f"No such kernel: {unknown}")
    assert sessions.get(session).json["kernel"]["id"] == session["kernel"]["id"]


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({}, {}),
        ({"unknown": 5}, {}),
        ({"name": "m"}, {"name": "m"}),
        ({"type": "console"}, {"type": "console"}),
        ({"path": "m.ipynb"}, {"path": "m.ipynb"}),
        ({"notebook": {"path": "m.ipynb"}}, {"path": "m.ipynb"}),
        ({"kernel": {}}, {}),
        ({"path": "m", "name": "m", "type": "file"}, {"path": "m", "name": "m", "type": "file"}),
    ],
)
def test_what_is_named_is_changed_and_nothing_else(
    sessions: Sessions, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    session = sessions.made(name="n")
    answer = sessions.patch(session, **body)
    assert answer.status == 200
    kept = {key: session[key] for key in ("id", "path", "name", "type")}
    assert {key: answer.json[key] for key in kept} == kept | changed
    assert answer.json["kernel"]["id"] == session["kernel"]["id"]
    assert sessions.get(session).json["path"] == answer.json["path"]


def test_the_path_it_had_is_free_again(sessions: Sessions) -> None:
    session = sessions.made()
    assert sessions.patch(session, path="m.ipynb").status == 200
    assert sessions.made("m.ipynb")["id"] == session["id"]
    assert sessions.made("d/n.ipynb")["id"] != session["id"]


def test_no_two_sessions_get_one_path(sessions: Sessions) -> None:
    first, second = sessions.made("a.ipynb"), sessions.made("b.ipynb")
    answer = sessions.patch(second, path="a.ipynb")
    if differs_in(sessions.server, "the path of another session"):
        assert answer.status == 200
        return
    assert answer.status == 409
    assert sessions.get(second).json["path"] == "b.ipynb"
    assert sessions.made("a.ipynb")["id"] == first["id"]


def test_a_session_whose_kernel_is_gone_says_so_and_then_is_gone_itself(sessions: Sessions) -> None:
    session = sessions.made()
    kernel = f"api/kernels/{session['kernel']['id']}"
    assert sessions.server.ask("DELETE", kernel).status == 204
    once = sessions.get(session)
    assert once.status == 404
    assert "culled or" in once.json["message"]
    again = sessions.get(session)
    assert again.status == 404
    assert session["id"] in again.json["message"]
    assert "culled" not in again.json["message"]


def test_deleting_a_session_whose_kernel_is_gone_forgets_it(sessions: Sessions) -> None:
    session = sessions.made()
    kernel = f"api/kernels/{session['kernel']['id']}"
    assert sessions.server.ask("DELETE", kernel).status == 204
    assert sessions.server.ask("DELETE", f"api/sessions/{session['id']}").status == 404
    assert sessions.ids() == []
    assert sessions.made()["id"] != session["id"]


def test_ending_one_of_two_sessions_of_a_kernel_ends_both(sessions: Sessions) -> None:
    kernel_id = sessions.kernel()
    first = sessions.made("a.ipynb", kernel={"id": kernel_id})
    sessions.made("b", "console", kernel={"id": kernel_id})
    assert sessions.server.ask("DELETE", f"api/sessions/{first['id']}").status == 204
    assert not sessions.runs(kernel_id)
    assert sessions.ids() == []


async def test_a_kernel_knows_its_document_also_after_it_was_moved(
    sessions: Sessions, tree: Path
) -> None:
    session = sessions.made("d/n.ipynb", name="n.ipynb")
    kernel = TestKernel(sessions.server, kernel_id=session["kernel"]["id"])
    code = "import os, json; print(json.dumps([os.getcwd(), os.environ['JPY_SESSION_NAME']]))"
    async with kernel.connected() as socket:
        where, name = json.loads(await socket.output(code))
    assert where == str((tree / "d").resolve())
    assert name == f"{where}/n.ipynb"
    assert sessions.patch(session, path="m.ipynb", name="m.ipynb").status == 200
    restart = f"api/kernels/{session['kernel']['id']}/restart"
    assert sessions.server.ask("POST", restart).status == 200
    async with kernel.connected() as socket:
        where, name = json.loads(await socket.output(code))
    assert name.endswith("/m.ipynb")
