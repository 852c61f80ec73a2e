"""Sessions and the kernels they tie documents to, as values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003 - rows are decoded by their annotations
from typing import TYPE_CHECKING

import msgspec
from perijove_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

_LABEL = "perijove.session."
_MAX_LABELS = 32
_MAX_LABEL_BYTES = 1024
_MAX_TEXT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Session:
    """Ties a document to the kernel that runs its code."""

    session_id: str
    path: str
    name: str | None
    type: str
    kernel_id: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel, as the kernels service describes it."""

    kernel_id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    create_time: datetime | None = None
    ended: bool = False
    """Whether its process is gone for good. One whose runner is lost may return."""
    description: object = None
    """All that is said of it, for the client: passed on unread."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with what is known of its kernel."""

    session: Session
    kernel: Kernel


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """Which kernel a session is to have."""

    kernel_id: str = ""
    kernelspec_name: str = ""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that someone wants."""

    path: str
    name: str | None
    type: str
    choice: KernelChoice

    @classmethod
    def parse(cls, path: str, name: str | None, kind: str, choice: KernelChoice) -> NewSession:
        """Return the wish, if it can be one.

        Raises:
            InvalidArgument: if a part is missing, or is too long.
        """
        return cls(_text("path", path), _optional(name), _text("type", kind), choice)


@dataclass(frozen=True, slots=True)
class SessionChanges:
    """What is to change; None for what stays."""

    path: str | None = None
    name: str | None = None
    type: str | None = None
    choice: KernelChoice | None = None

    @classmethod
    def parse(
        cls, path: str | None, name: str | None, kind: str | None, choice: KernelChoice | None
    ) -> SessionChanges:
        """Return the changes, if they can be made.

        Raises:
            InvalidArgument: if a part is empty, or is too long.
        """
        if choice and not choice.kernel_id and not choice.kernelspec_name:
            raise InvalidArgument("kernel names neither a kernel nor a kernelspec")
        return cls(
            None if path is None else _text("path", path),
            _optional(name),
            None if kind is None else _text("type", kind),
            choice,
        )

    def applied(self, session: Session, kernel_id: str) -> Session:
        """Return a session after the changes."""
        return replace(
            session,
            path=session.path if self.path is None else self.path,
            name=session.name if self.name is None else self.name,
            type=session.type if self.type is None else self.type,
            kernel_id=kernel_id,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A path that is being given its session, and with which ids."""

    session: Session
    kernelspec_name: str
    fresh: bool
    """Whether the kernel's id was made for it, so that nobody else can mean that kernel."""


class _Label(msgspec.Struct):
    path: str
    type: str
    name: str | None = None


def labelled(kernel_labels: Mapping[str, str], session: Session) -> Mapping[str, str]:
    """Return a kernel's labels with the session noted on them, if it fits.

    From these the sessions are rebuilt if their store loses them. One that does
    not fit is not, and that is all that is lost.
    """
    key = _LABEL + session.session_id
    note = _Label(session.path, session.type, session.name)
    value = msgspec.json.encode(note).decode()
    others = {k: v for k, v in kernel_labels.items() if k != key}
    if len(key) + len(value.encode()) > _MAX_LABEL_BYTES or len(others) >= _MAX_LABELS:
        return others
    return {**others, key: value}


def sessions_of(kernel: Kernel) -> list[Session]:
    """Return the sessions that are noted on a kernel."""
    found = []
    for key, value in kernel.labels.items():
        if key.startswith(_LABEL) and kernel.create_time:
            try:
                note = msgspec.json.decode(value, type=_Label)
            except msgspec.MsgspecError:
                continue  # not written by this service
            found.append(
                Session(
                    session_id=key.removeprefix(_LABEL),
                    path=note.path,
                    name=note.name,
                    type=note.type,
                    kernel_id=kernel.kernel_id,
                    create_time=kernel.create_time,
                )
            )
    return found


def session_name_variable(path: str, name: str | None, working_directory: str) -> dict[str, str]:
    """Return the variable that tells a kernel which document it serves."""
    place = f"{working_directory.rstrip('/')}/{name}" if name else path
    return {"JPY_SESSION_NAME": place}


def _text(field_name: str, text: str) -> str:
    if not text:
        raise InvalidArgument(f"{field_name} is required")
    if "\0" in text or len(text.encode()) > _MAX_TEXT_BYTES:
        raise InvalidArgument(f"{field_name} is too long, or holds a NUL")
    return text


def _optional(name: str | None) -> str | None:
    return _text("name", name) if name else name
