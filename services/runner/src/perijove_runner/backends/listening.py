"""Where a kernel is told to listen.

ipykernel listens on sockets in a private directory: no ports, and none to race for.
Not every other kernel can: some know no transport but TCP, some take the path of a
socket for something shorter, and each ends at once, or is never heard of. All of
them listen on ports of the loopback address, as under every Jupyter server.
"""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from perijove_runner.model import Kernelspec

LOOPBACK: Final = "127.0.0.1"
PORTS: Final = 5

_PORTS_OF_SERVERS: Final = range(10_000, 32_768)
"""Below those that connections are given by themselves, so that none of them takes
one before the kernel has it."""
_TRIES: Final = 1000


class _Own(msgspec.Struct):
    transport: str = ""


class _Metadata(msgspec.Struct):
    perijove: _Own = msgspec.field(default_factory=_Own)


def takes_ipc(spec: Kernelspec) -> bool:
    """Return whether a kernel is known to listen on sockets of the file system.

    Those of ipykernel are; another kernelspec may say it of itself with
    `{"perijove": {"transport": "ipc"}}` in its metadata.
    """
    if any(part.startswith("ipykernel") for part in spec.argv):
        return True
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(spec.metadata, type=_Metadata).perijove.transport == "ipc"
    return False


def free_ports() -> list[int]:
    """Return ports on which nobody listens.

    Raises:
        OSError: if there are none.
    """
    ports: list[int] = []
    with ExitStack() as stack:
        for _ in range(_TRIES):
            port = random.choice(_PORTS_OF_SERVERS)  # noqa: S311 - no secret
            probe = stack.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind((LOOPBACK, port))
                ports.append(port)
            if len(ports) == PORTS:
                return ports
    raise OSError("no port is free")
