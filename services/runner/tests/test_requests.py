"""What is remembered of clients' requests, here and in notes."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from perijove_runner.backends import relay_notes
from perijove_runner.backends.relay_notes import RelayNotesFile
from perijove_runner.journal import NOBODY
from perijove_runner.keeping import RelayKeeper
from perijove_runner.model import Channel
from perijove_runner.requests import Requests
from perijove_runner.snapshot import (
    InFlightRequest,
    KnownClient,
    RelayChange,
    RelayLimits,
    RelaySnapshot,
    after,
)

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = RelaySnapshot(identity=b"me", sequence_limit=10, last_activity_time=1.0)


def frames(msg_id: str = "", parent: str = "", kind: str = "x_request") -> list[bytes]:
    header = {"msg_id": msg_id, "msg_type": kind}
    above = {"msg_id": parent, "session": "s"}
    return [json.dumps(header).encode(), json.dumps(above).encode(), b"{}", b"{}"]


def ids(requests: Requests) -> list[str]:
    return [request.msg_id for request in requests.in_flight]


def test_the_oldest_request_is_forgotten_and_still_routed_by_its_session() -> None:
    requests = Requests(RelayLimits(requests_in_flight=2))
    for number in range(3):
        change = requests.sent("a", Channel.SHELL, frames(str(number)))
    assert change.done == ("0",)
    assert ids(requests) == ["1", "2"]
    assert requests.received(Channel.SHELL, frames(parent="2"), 1, {"s"})[0] == "a"
    assert requests.received(Channel.SHELL, frames(parent="0"), 2, {"s"}) == ("s", None)
    assert requests.received(Channel.SHELL, frames(parent="0"), 3, set()) == (NOBODY, None)


def test_a_request_is_remembered_until_its_client_has_seen_reply_and_idle() -> None:
    requests = Requests(RelayLimits())
    requests.sent("a", Channel.SHELL, frames("1"))
    assert requests.shell_is_busy
    requests.received(Channel.SHELL, frames(parent="1"), 7, set())
    assert not requests.shell_is_busy
    assert requests.delivered("a", 100) == ()
    requests.idled(frames(parent="1")[1], 8)
    assert requests.delivered("a", 7) == ()
    assert requests.delivered("b", 8) == ()
    assert requests.delivered("a", 8) == ("1",)
    assert ids(requests) == []


def test_a_message_without_a_reply_ends_with_its_idle() -> None:
    requests = Requests(RelayLimits())
    requests.sent("a", Channel.SHELL, frames("1", kind="comm_msg"))
    assert not requests.shell_is_busy
    requests.idled(frames(parent="1")[1], 3)
    assert requests.delivered("a", 3) == ("1",)


def test_a_client_that_acknowledges_nothing_costs_no_more_than_a_limit() -> None:
    requests = Requests(RelayLimits(ended_requests=3))
    for number in range(10):
        requests.sent("a", Channel.SHELL, frames(str(number)))
        requests.received(Channel.SHELL, frames(parent=str(number)), 2 * number + 1, set())
        requests.idled(frames(parent=str(number))[1], 2 * number + 2)
    assert ids(requests) == ["7", "8", "9"]
    assert requests.client_forgotten("a") == ("7", "8", "9")
    assert ids(requests) == []


def test_a_question_is_pending_until_answered_or_its_request_has_a_reply() -> None:
    requests = Requests(RelayLimits())
    requests.sent("a", Channel.SHELL, frames("1"))
    requests.sent("b", Channel.SHELL, frames("2"))
    assert requests.received(Channel.STDIN, frames("q1", "1"), 1, set())[0] == "a"
    assert requests.received(Channel.STDIN, frames("q2", "2"), 2, set())[0] == "b"
    requests.sent("a", Channel.STDIN, frames("r1"))
    assert [asked.client_session_id for asked in requests.pending_inputs] == ["b"]
    requests.received(Channel.SHELL, frames(parent="2"), 3, set())
    assert requests.pending_inputs == ()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sent", "answer", "reply", "question", "idle", "ack", "forgotten"]),
        st.sampled_from("ab"),
        st.integers(0, 5),
    ),
    max_size=60,
)


@given(STEPS)
def test_changes_say_all_that_has_changed(steps: list[tuple[str, str, int]]) -> None:
    requests = Requests(RelayLimits(requests_in_flight=4, ended_requests=2))
    changes: list[RelayChange] = []
    for sequence, (step, who, number) in enumerate(steps, start=1):
        answer = frames("m", str(number))
        change: RelayChange | None = None
        match step:
            case "sent":
                change = requests.sent(who, Channel.SHELL, frames(str(number)))
            case "answer":
                change = requests.sent(who, Channel.STDIN, answer)
            case "reply":
                _, change = requests.received(Channel.SHELL, answer, sequence, set())
            case "question":
                _, change = requests.received(Channel.STDIN, answer, sequence, set())
            case "idle":
                change = requests.idled(answer[1], sequence)
            case "ack":
                change = RelayChange(done=requests.delivered(who, sequence - number))
            case "forgotten":
                change = RelayChange(forgotten=who, done=requests.client_forgotten(who))
        changes += [change] if change else []
    found = after(EMPTY, changes)
    assert found.requests == requests.in_flight
    assert found.pending_inputs == requests.pending_inputs


def change_of(number: int, header: bytes = b"{}") -> RelayChange:
    request = InFlightRequest(str(number), "c", "shell", header)
    return RelayChange(client=KnownClient("c", "o", number), request=request)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.notes"


def test_notes_survive_with_a_torn_last_line(path: Path) -> None:
    assert relay_notes.read(path) is None
    notes = RelayNotesFile(path)
    notes.begin(EMPTY)
    changes = [change_of(1), change_of(2)]
    for change in changes:
        assert notes.add(change)
    notes.close()
    padded = path.read_bytes()
    assert relay_notes.read(path) == after(EMPTY, changes)
    whole = padded.rstrip(b"\0")
    last = whole.rindex(b"\n", 0, -1) + 1
    for length in range(last, len(whole)):
        for torn in (whole[:length], whole[:length].ljust(len(padded), b"\0")):
            path.write_bytes(torn)
            assert relay_notes.read(path) == after(EMPTY, changes[:1])
    path.write_bytes(whole)
    assert relay_notes.read(path) == after(EMPTY, changes)
    for length in range(whole.index(b"\n") + 1):
        path.write_bytes(whole[:length])
        assert relay_notes.read(path) is None


def test_notes_are_begun_anew_when_they_are_long(path: Path) -> None:
    known = EMPTY
    keeper = RelayKeeper(RelayNotesFile(path), "k", lambda: known)
    longest = 0
    for number in range(10_000):
        change = replace(change_of(number), done=(str(number - 1),))
        known = after(known, [change])
        keeper.keep(change)
        longest = max(longest, path.stat().st_size)
    keeper.close()
    assert longest < 300_000
    assert relay_notes.read(path) == known
    assert [request.msg_id for request in known.requests] == ["9999"]


def test_notes_that_could_not_be_written_begin_anew_and_have_no_hole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = after(EMPTY, [change_of(1)])
    keeper = RelayKeeper(RelayNotesFile(path), "k", lambda: known)
    keeper.keep(change_of(1))
    large = change_of(2, b"h" * 200_000)
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        patch.setattr(os, "posix_fallocate", full)
        keeper.keep(large)
        keeper.keep(change_of(3))
        assert relay_notes.read(path) == known
    keeper.keep(change_of(4))
    assert relay_notes.read(path) == known
    keeper._not_before = 0
    known = after(known, [large, change_of(3), change_of(4), change_of(5)])
    keeper.keep(change_of(5))
    assert relay_notes.read(path) == known
    keeper.close()
