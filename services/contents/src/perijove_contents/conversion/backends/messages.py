"""What a worker and the process that started it say to each other.

One message is one packet. The notebook and what it becomes travel beside them,
as open files.
"""

from __future__ import annotations

import enum

import msgspec

MAX_MESSAGE_BYTES = 64 * 1024
"""Longest message; the list of exporters has room in it."""


class Start(msgspec.Struct, frozen=True):
    """How a worker is to work; the first argument of its process, as JSON."""

    parent_pid: int
    """Who started it; it ends with that process."""
    socket_fd: int
    scratch: str
    """Directory that is its own: where it is, and all it may write to."""
    config_dir: str
    """Jupyter's configuration, whose style sheet templates may include."""
    max_memory_bytes: int
    max_output_bytes: int


class ExporterFound(msgspec.Struct, frozen=True):
    """An exporter that is installed."""

    name: str
    mime_type: str


class Ready(msgspec.Struct, frozen=True, tag=True):
    """First message of a worker."""

    exporters: list[ExporterFound]
    """In order of their names."""


class Convert(msgspec.Struct, frozen=True, tag=True):
    """What to do next; comes with the notebook and the file for the output."""

    exporter: str
    name: str
    """Name of the notebook, without its ending."""
    modified_date: str
    """For people; empty if it is not known."""
    sanitize_html: bool


class Converted(msgspec.Struct, frozen=True, tag=True):
    """The output is in its file."""

    mime_type: str
    extension: str
    is_archive: bool


class Cause(enum.Enum):
    """Why there is no output."""

    UNREADABLE = "unreadable"
    """What was sent is no notebook."""
    FAILED = "failed"
    """The exporter raised something."""
    TOO_MUCH_MEMORY = "memory"
    TOO_LARGE = "output"
    NO_ROOM = "room"
    """The disk is full."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """There is no output."""

    cause: Cause
    message: str
    """For people; names no place on this machine."""
