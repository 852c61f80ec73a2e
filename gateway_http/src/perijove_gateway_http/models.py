"""REST models of Jupyter: from the messages of the services. Every key is always there."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import msgspec
from perijove.contents.v1 import contents_pb2
from perijove.kernels.v1 import kernels_pb2

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp
    from perijove.kernels.v1 import kernelspecs_pb2
    from perijove.sessions.v1 import sessions_pb2

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TYPE_NAMES: dict[int, Literal["file", "notebook", "directory"]] = {
    contents_pb2.ENTRY_TYPE_UNSPECIFIED: "file",
    contents_pb2.ENTRY_TYPE_FILE: "file",
    contents_pb2.ENTRY_TYPE_NOTEBOOK: "notebook",
    contents_pb2.ENTRY_TYPE_DIRECTORY: "directory",
}

FORMAT_NAMES: dict[int, str] = {
    contents_pb2.CONTENT_FORMAT_TEXT: "text",
    contents_pb2.CONTENT_FORMAT_BINARY: "base64",
    contents_pb2.CONTENT_FORMAT_NOTEBOOK: "json",
    contents_pb2.CONTENT_FORMAT_ENTRIES: "json",
}

STATE_NAMES: dict[int, str] = {
    kernels_pb2.EXECUTION_STATE_UNSPECIFIED: "unknown",
    kernels_pb2.EXECUTION_STATE_STARTING: "starting",
    kernels_pb2.EXECUTION_STATE_IDLE: "idle",
    kernels_pb2.EXECUTION_STATE_BUSY: "busy",
    kernels_pb2.EXECUTION_STATE_RESTARTING: "restarting",
    kernels_pb2.EXECUTION_STATE_DEAD: "dead",
}


CAUSE_NAMES: dict[int, str] = {
    value.number: value.name.removeprefix("EXIT_CAUSE_").lower()
    for value in kernels_pb2.ExitCause.DESCRIPTOR.values
}
"""Why a kernel's process ended, as the REST model names it; `unspecified` if not known."""


class ContentsHead(msgspec.Struct, frozen=True):
    """A contents model without its `content`, which may be spliced in behind."""

    name: str
    path: str
    last_modified: str
    created: str
    format: str | None
    mimetype: str | None
    size: int | None
    writable: bool
    hash: str | None
    hash_algorithm: str | None
    type: str
    message: str | msgspec.UnsetType = msgspec.UNSET
    """Why a notebook is not valid; no such key if it is."""


class ContentsModel(ContentsHead, frozen=True):
    """A contents model whose content was not asked for."""

    content: None = None


def timestamp(time: Timestamp) -> str:
    """Return a time as clients parse it: always with six digits of a second."""
    return _iso(_EPOCH + timedelta(seconds=time.seconds, microseconds=time.nanos // 1000))


def timestamp_of(seconds: float) -> str:
    """Return seconds since the epoch as `timestamp` does."""
    return _iso(_EPOCH + timedelta(seconds=seconds))


def contents_model(entry: contents_pb2.Entry, message: str = "") -> ContentsModel:
    """Return the model of an entry without its content."""
    return ContentsModel(**_contents_fields(entry, None, entry.mime_type or None, message))


def contents_head(header: contents_pb2.ReadContentHeader) -> ContentsHead:
    """Return the model of an entry whose content follows."""
    entry = header.entry
    mime_type = entry.mime_type or None
    if not mime_type and entry.type == contents_pb2.ENTRY_TYPE_FILE:
        is_text = header.format == contents_pb2.CONTENT_FORMAT_TEXT
        mime_type = "text/plain" if is_text else "application/octet-stream"
    fields = _contents_fields(
        entry, FORMAT_NAMES.get(header.format), mime_type, header.validation_message
    )
    return ContentsHead(**fields)


def checkpoint_model(checkpoint: contents_pb2.Checkpoint) -> dict[str, str]:
    """Return the model of a checkpoint: exactly two keys."""
    return {
        "id": checkpoint.checkpoint_id,
        "last_modified": timestamp(checkpoint.update_time),
    }


def kernel_model(kernel: kernels_pb2.Kernel) -> dict[str, Any]:
    """Return the model of a kernel.

    Front ends show `reason` and `traceback` of a kernel that is dead. `last_exit` is
    Perijove's own: how the latest process of the kernel ended, if one did.
    """
    model: dict[str, Any] = {
        "id": kernel.kernel_id,
        "name": kernel.kernelspec_name,
        "last_activity": timestamp(kernel.last_activity_time),
        "execution_state": STATE_NAMES.get(kernel.execution_state, "unknown"),
        "connections": kernel.connection_count,
    }
    if kernel.HasField("last_exit"):
        ended = kernel.last_exit
        model["last_exit"] = {
            "cause": CAUSE_NAMES.get(ended.cause, "unspecified"),
            "exit_code": ended.exit_code if ended.HasField("exit_code") else None,
            "signal": ended.signal if ended.HasField("signal") else None,
            "message": ended.message,
            "output": ended.output,
            "requested_by": ended.requested_by,
            "time": timestamp(ended.exit_time),
        }
        if kernel.execution_state == kernels_pb2.EXECUTION_STATE_DEAD:
            model |= {"reason": ended.message, "traceback": ended.output}
    return model


def session_model(
    session: sessions_pb2.Session, kernel: kernels_pb2.Kernel | None = None
) -> dict[str, Any]:
    """Return the model of a session, with the key that old clients read.

    Args:
        session: The session.
        kernel: Its kernel, if the message has no more of that than the id.
    """
    name = session.name if session.HasField("name") else None
    model: dict[str, Any] = {
        "id": session.session_id,
        "path": session.path,
        "name": name,
        "type": session.type,
        "kernel": kernel_model(kernel or session.kernel),
    }
    if session.type == "notebook":
        model["notebook"] = {"path": session.path, "name": name}
    return model


def kernelspec_model(
    kernelspec: kernelspecs_pb2.Kernelspec, base_url: str, name: str = ""
) -> dict[str, Any]:
    """Return the model of a kernelspec, under its name or the spelling that was asked for."""
    spec: dict[str, Any] = {
        "argv": list(kernelspec.argv),
        "env": dict(kernelspec.environment),
        "display_name": kernelspec.display_name,
        "language": kernelspec.language,
        "interrupt_mode": kernelspec.interrupt_mode or "signal",
        "metadata": msgspec.Raw(kernelspec.metadata or b"{}"),
    }
    if kernelspec.protocol_version:
        spec["kernel_protocol_version"] = kernelspec.protocol_version
    prefix = f"{base_url}kernelspecs/{quote(kernelspec.name)}/"
    resources = {
        file.partition(".")[0] if file.startswith("logo-") else file: prefix + quote(file)
        for file in kernelspec.resources
        if file.startswith("logo-") or file in ("kernel.js", "kernel.css")
    }
    return {"name": name or kernelspec.name, "spec": spec, "resources": resources}


def decode_base64(text: str) -> bytes:
    """Return the bytes of base64 text, whatever stands between its characters.

    Raises:
        ValueError: if it is cut off, or no ASCII.
    """
    return base64.decodebytes(text.encode("ascii"))


def _contents_fields(
    entry: contents_pb2.Entry, fmt: str | None, mime_type: str | None, message: str
) -> dict[str, Any]:
    is_file = entry.type == contents_pb2.ENTRY_TYPE_FILE
    return {
        "name": entry.path.rpartition("/")[2],
        "path": entry.path,
        "last_modified": timestamp(entry.update_time),
        "created": timestamp(entry.create_time),
        "format": fmt,
        "mimetype": mime_type if is_file else None,
        "size": entry.size_bytes if entry.HasField("size_bytes") else None,
        "writable": entry.writable,
        "hash": entry.hash or None,
        "hash_algorithm": entry.hash_algorithm or None,
        "type": TYPE_NAMES.get(entry.type, "file"),
        "message": message or msgspec.UNSET,
    }


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
