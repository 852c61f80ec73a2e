"""A process that converts notebooks, one after the other.

It is started with one argument, `Start` as JSON, and speaks `messages` on the
socket which that names. It ends when the other side closes that, or is killed.
"""

from __future__ import annotations

import os
import socket
import sys
import warnings
from typing import TYPE_CHECKING

import msgspec

from perijove_contents.conversion.backends import confinement
from perijove_contents.conversion.backends.installed import readable_places
from perijove_contents.conversion.backends.messages import (
    MAX_MESSAGE_BYTES,
    Convert,
    Converted,
    Failed,
    Ready,
    Start,
)

if TYPE_CHECKING:
    from perijove_contents.conversion.backends.exporting import Exporting

_NICENESS = 5
"""Conversions can wait; what people do meanwhile cannot."""

_FDS = 2


def main() -> None:
    """Give up what is not needed, then convert until told to end."""
    start = msgspec.json.decode(sys.argv[1], type=Start)
    confinement.end_with(start.parent_pid)
    os.nice(_NICENESS)
    warnings.simplefilter("ignore")
    confinement.limit(
        max_memory_bytes=start.max_memory_bytes, max_file_bytes=start.max_output_bytes
    )
    is_confined = confinement.confine(
        readable=readable_places(start.config_dir), writable=(start.scratch,)
    )
    # Imported here: what plug-ins do when they are imported is confined too.
    from perijove_contents.conversion.backends.exporting import Exporting  # noqa: PLC0415

    exporting = Exporting(
        config_dir=start.config_dir,
        max_output_bytes=start.max_output_bytes,
        is_confined=is_confined,
    )
    with socket.socket(fileno=start.socket_fd) as connection:
        connection.send(msgspec.json.encode(Ready(exporting.exporters())))
        while True:
            message, fds, _, _ = socket.recv_fds(connection, MAX_MESSAGE_BYTES, _FDS)
            if not message:
                return
            connection.send(msgspec.json.encode(_convert(exporting, message, *fds)))


def _convert(
    exporting: Exporting, message: bytes, notebook_fd: int, output_fd: int
) -> Converted | Failed:
    job = msgspec.json.decode(message, type=Convert)
    with open(notebook_fd, "rb") as notebook, open(output_fd, "wb", buffering=0) as output:
        return exporting.convert(job, notebook, output)


if __name__ == "__main__":
    main()
