"""The messages of a run: made of what a client asks for, and read into outputs.

https://jupyter-client.readthedocs.io/en/stable/messaging.html
"""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove_runner import headers
from perijove_runner.execution import mime
from perijove_runner.execution.model import (
    ClearOutput,
    DisplayData,
    ExecuteResult,
    ExecutionError,
    Outcome,
    OutcomeKind,
    Question,
    Started,
    StreamOutput,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perijove_runner.execution.model import Execution, MimeBundle, Output

_VERSION: Final = "5.4"
_HEADER, _CONTENT = 0, 3
_RELAY: Final = "perijove"
"""The session in the headers of what the relay says in place of the kernel."""
_RELAYS_WORDS: Final = {
    "ReplyLost": OutcomeKind.REPLY_LOST,
    "KernelDied": OutcomeKind.KERNEL_ENDED,
    "KernelRestarted": OutcomeKind.KERNEL_ENDED,
    "KernelShutDown": OutcomeKind.KERNEL_ENDED,
    "KernelCulled": OutcomeKind.KERNEL_ENDED,
}
"""What the errors of its replies stand for."""


def execute_request(msg_id: str, session: str, execution: Execution) -> list[bytes]:
    """Return the frames of a request to run code."""
    store_history = execution.store_history
    content = {
        "code": execution.code,
        "silent": execution.silent,
        "store_history": not execution.silent if store_history is None else store_history,
        "user_expressions": dict(execution.user_expressions),
        "allow_stdin": execution.allow_stdin,
        "stop_on_error": execution.stop_on_error,
    }
    header = _header(msg_id, "execute_request", session)
    if execution.subshell_id:
        header["subshell_id"] = execution.subshell_id
    return [msgspec.json.encode(header), b"{}", b"{}", msgspec.json.encode(content)]


def input_reply(session: str, question: Question, value: str) -> list[bytes]:
    """Return the frames of an answer."""
    header = _header(uuid.uuid4().hex, "input_reply", session)
    content = {"value": value, "status": "ok"}
    return [msgspec.json.encode(header), question.header, b"{}", msgspec.json.encode(content)]


def content_of(frames: Sequence[bytes]) -> Mapping[str, Any]:
    """Return the content of a message; nothing if it is malformed."""
    try:
        found = msgspec.json.decode(frames[_CONTENT])
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def output(kind: str, frames: Sequence[bytes]) -> Output | None:
    """Return what a message on iopub shows, if anything."""
    read = _READ.get(kind)
    return read(content_of(frames)) if read else None


def question(frames: Sequence[bytes], input_id: str) -> Question:
    """Return what a message on stdin asks."""
    content = content_of(frames)
    return Question(
        input_id, text(content, "prompt"), bool(content.get("password")), frames[_HEADER]
    )


def outcome(frames: Sequence[bytes]) -> Outcome:
    """Return how a run has ended, by its reply."""
    content = content_of(frames)
    count = integer(content, "execution_count")
    match content.get("status"):
        case "ok":
            return Outcome(
                OutcomeKind.OK,
                count,
                user_expressions=_expressions(content.get("user_expressions")),
                payloads_json=tuple(map(mime.json_text, _list(content.get("payload")))),
            )
        case "error" if headers.session(frames[_HEADER]) == _RELAY:
            kind = _RELAYS_WORDS.get(text(content, "ename"), OutcomeKind.ERROR)
            return Outcome(kind, error=_error(content) if kind is OutcomeKind.ERROR else None)
        case "aborted":
            return Outcome(OutcomeKind.ABORTED, count)
    return Outcome(OutcomeKind.ERROR, count, _error(content))


def text(content: Mapping[str, Any], key: str) -> str:
    """Return a text in a content; empty if there is none."""
    found = content.get(key)
    return found if isinstance(found, str) else ""


def integer(content: Mapping[str, Any], key: str) -> int:
    """Return a number in a content; zero if there is none that fits 63 bits."""
    found = content.get(key)
    fits = isinstance(found, int) and abs(found) < 1 << 63
    return int(found) if fits and found is not None else 0


def _header(msg_id: str, msg_type: str, session: str) -> dict[str, str]:
    return {
        "msg_id": msg_id,
        "msg_type": msg_type,
        "username": "perijove",
        "session": session,
        "date": dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z"),
        "version": _VERSION,
    }


def _bundle(content: Mapping[str, Any]) -> MimeBundle:
    return mime.bundle(content.get("data"), content.get("metadata"))


def _stream(content: Mapping[str, Any]) -> StreamOutput:
    return StreamOutput(text(content, "name"), text(content, "text"))


def _started(content: Mapping[str, Any]) -> Started:
    return Started(integer(content, "execution_count"))


def _result(content: Mapping[str, Any]) -> ExecuteResult:
    return ExecuteResult(integer(content, "execution_count"), _bundle(content))


def _shown(content: Mapping[str, Any], *, is_update: bool = False) -> DisplayData:
    transient = content.get("transient")
    display_id = text(transient, "display_id") if isinstance(transient, dict) else ""
    return DisplayData(_bundle(content), display_id, is_update)


def _cleared(content: Mapping[str, Any]) -> ClearOutput:
    return ClearOutput(bool(content.get("wait")))


def _error(content: Mapping[str, Any]) -> ExecutionError:
    traceback = tuple(line for line in _list(content.get("traceback")) if isinstance(line, str))
    return ExecutionError(text(content, "ename"), text(content, "evalue"), traceback)


def _expressions(found: object) -> dict[str, MimeBundle | ExecutionError]:
    if not isinstance(found, dict):
        return {}
    return {
        name: _bundle(value) if value.get("status") == "ok" else _error(value)
        for name, value in found.items()
        if isinstance(value, dict)
    }


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []


_READ: Final[Mapping[str, Callable[[Mapping[str, Any]], Output]]] = {
    "stream": _stream,
    "execute_input": _started,
    "execute_result": _result,
    "display_data": _shown,
    "update_display_data": partial(_shown, is_update=True),
    "clear_output": _cleared,
    "error": _error,
}
"""How the content of each kind of message on iopub is read; others show nothing."""
