"""Requests that are one question and one answer, in the words of the kernel protocol.

https://jupyter-client.readthedocs.io/en/stable/messaging.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perijove.kernels.v1 import execution_pb2 as pb
from perijove_chassis.errors import InvalidArgument

from perijove_runner.execution import messages, mime
from perijove_runner.execution.wire import bundle_to_proto

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_COUNT: Final = 100
_COMPLETENESS: Final = {
    "complete": pb.COMPLETENESS_COMPLETE,
    "incomplete": pb.COMPLETENESS_INCOMPLETE,
    "invalid": pb.COMPLETENESS_INVALID,
}


def complete_content(request: pb.CompleteRequest) -> dict[str, object]:
    """Return the content of a `complete_request`."""
    return {"code": request.code, "cursor_pos": _cursor(request)}


def complete_response(reply: Mapping[str, Any]) -> pb.CompleteResponse:
    """Return what a `complete_reply` says."""
    metadata = reply.get("metadata")
    return pb.CompleteResponse(
        matches=_texts(reply.get("matches")),
        cursor_start=messages.integer(reply, "cursor_start"),
        cursor_end=messages.integer(reply, "cursor_end"),
        metadata_json=mime.json_text(metadata) if metadata else "",
    )


def inspect_content(request: pb.InspectRequest) -> dict[str, object]:
    """Return the content of an `inspect_request`.

    Raises:
        InvalidArgument: if there is no such level of detail.
    """
    if request.detail_level not in (0, 1):
        raise InvalidArgument("the level of detail is 0 or 1")
    return {
        "code": request.code,
        "cursor_pos": _cursor(request),
        "detail_level": request.detail_level,
    }


def inspect_response(reply: Mapping[str, Any]) -> pb.InspectResponse:
    """Return what an `inspect_reply` says."""
    bundle = mime.bundle(reply.get("data"), reply.get("metadata"))
    return pb.InspectResponse(found=bool(reply.get("found")), bundle=bundle_to_proto(bundle))


def history_content(request: pb.HistoryRequest) -> dict[str, object]:
    """Return the content of a `history_request`.

    Raises:
        InvalidArgument: if it is not said which entries.
    """
    content: dict[str, object] = {"output": request.output, "raw": not request.transformed}
    match request.WhichOneof("access"):
        case "tail":
            access = {"hist_access_type": "tail", "n": _count(request.tail.count)}
        case "range":
            found = request.range
            access = {"hist_access_type": "range", "session": found.session, "start": found.start}
            access["stop"] = found.stop or None
        case "search":
            search = request.search
            access = {"hist_access_type": "search", "pattern": search.pattern}
            access |= {"n": _count(search.count), "unique": search.unique}
        case _:
            raise InvalidArgument("a request for history names tail, range or search")
    return content | access


def history_response(reply: Mapping[str, Any]) -> pb.HistoryResponse:
    """Return what a `history_reply` says. What is no entry is left out."""
    found = reply.get("history")
    entries = [_entry(entry) for entry in found] if isinstance(found, list) else []
    return pb.HistoryResponse(entries=[entry for entry in entries if entry])


def is_complete_response(reply: Mapping[str, Any]) -> pb.IsCompleteResponse:
    """Return what an `is_complete_reply` says."""
    return pb.IsCompleteResponse(
        completeness=_COMPLETENESS.get(messages.text(reply, "status")),
        indent=messages.text(reply, "indent"),
    )


def _cursor(request: pb.CompleteRequest | pb.InspectRequest) -> int:
    # Characters, which is what Python counts, too.
    end = len(request.code)
    cursor = request.cursor_pos if request.HasField("cursor_pos") else end
    if not 0 <= cursor <= end:
        raise InvalidArgument("the cursor is outside of the code")
    return cursor


def _count(count: int) -> int:
    if count < 0:
        raise InvalidArgument("a count is not negative")
    return count or _DEFAULT_COUNT


def _texts(found: object) -> list[str]:
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def _entry(found: object) -> pb.HistoryEntry | None:
    match found:
        case [int(session), int(line), str(code)]:
            return pb.HistoryEntry(session=session, line_number=line, input=code)
        case [int(session), int(line), [str(code), output]]:
            return pb.HistoryEntry(
                session=session,
                line_number=line,
                input=code,
                output=output if isinstance(output, str) else None,
            )
    return None
