"""Workspaces: how the front end's windows are laid out, as JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
from perijove_chassis.errors import InvalidArgument


class Workspace(msgspec.Struct):
    """A workspace whose data is passed on unread."""

    data: msgspec.Raw = msgspec.Raw(b"{}")
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class _Named(msgspec.Struct):
    id: str


class _Body(msgspec.Struct):
    data: dict[str, msgspec.Raw]
    metadata: _Named


def check(name: str, body: bytes) -> None:
    """Check that a text is the workspace of a name.

    Raises:
        InvalidArgument: if it is no workspace, or another one.
    """
    try:
        workspace = msgspec.json.decode(body, type=_Body)
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"not a workspace: {error}") from None
    own = unquote(workspace.metadata.id).removeprefix("/")
    if own != name:
        raise InvalidArgument(f"Workspace metadata ID mismatch: expected {name!r} got {own!r}")


def absent(name: str) -> dict[str, Any]:
    """Return what there is of a workspace that was never stored."""
    return {"data": {}, "metadata": {"id": f"/{name}"}}


def model(name: str, content: bytes, *, created: str, last_modified: str) -> Workspace:
    """Return a stored workspace with its times; one that cannot be read is empty."""
    try:
        workspace = msgspec.json.decode(content, type=Workspace)
    except (ValueError, RecursionError):
        workspace = Workspace(metadata={"id": name})
    workspace.metadata |= {"last_modified": last_modified, "created": created}
    workspace.metadata.setdefault("id", name)
    return workspace
