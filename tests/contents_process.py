"""The contents process alone, started, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, derive_key
from perijove_chassis.settings import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = Secret("k" * 32)
CHUNK_BYTES = 1024 * 1024
GENEROUS_S = 60.0


class ContentsProcess:
    """One `python -m perijove_contents` over a directory, on a socket of its own."""

    def __init__(self, place: Path, root: Path, *, packages: str = "", **settings: str) -> None:
        """Describe a process; nothing is started.

        Args:
            place: A directory for its socket and its data.
            root: The tree that it serves.
            packages: A directory with further packages.
            settings: Further settings, by their names without the prefix.
        """
        self.listen = f"unix:{place}/c.sock"
        given = {
            "LISTEN": self.listen,
            "SERVICE_KEY": KEY.reveal(),
            "ROOT": str(root),
            "LOG_LEVEL": "warning",
            **settings,
        }
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "PYTHONPATH": packages,
            "JUPYTER_DATA_DIR": str(place / "data"),
            "JUPYTER_CONFIG_DIR": str(place / "config"),
            **{f"PERIJOVE_CONTENTS_{name}": value for name, value in given.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: tuple[str, ...] = ()) -> ContentsProcess:
        """Start it, below `command` if that is given."""
        self._process = subprocess.Popen(
            [*command, sys.executable, "-m", "perijove_contents"], env=self._environment
        )
        return self

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process
        return self._process.pid

    def wait(self) -> int:
        """Return its status once it has ended by itself."""
        assert self._process
        return self._process.wait(GENEROUS_S)

    def has_ended(self) -> bool:
        """Return whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """Kill it as hard as possible, unless it is gone, and wait until it is."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Tell it to stop, and check that it ends well."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(GENEROUS_S) == 0
            self._process = None

    def channel(self) -> Channel:
        """Return a channel to it, through all its lives."""
        issuer = Issuer(derive_key(KEY, "contents"), "gateway_http", "contents")
        return Channel(self.listen, issuer, Deadlines(default_s=GENEROUS_S))

    async def listening(self) -> None:
        """Wait until its socket takes connections: sooner than gRPC would try again."""
        async with asyncio.timeout(GENEROUS_S):
            while True:
                try:
                    _, writer = await asyncio.open_unix_connection(
                        self.listen.removeprefix("unix:")
                    )
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    return

    async def ready(self, channel: Channel) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(GENEROUS_S):
            await stub_of(channel).GetEntry(pb.GetEntryRequest())


def stub_of(channel: Channel) -> Any:
    """Return the stub for the contents service."""
    return contents_pb2_grpc.ContentsServiceStub(channel)  # type: ignore[arg-type]


def requests(header: pb.WriteContentHeader, data: bytes) -> Iterator[pb.WriteContentRequest]:
    """Yield the messages that write content."""
    yield pb.WriteContentRequest(header=header, chunk=data[:CHUNK_BYTES])
    for start in range(CHUNK_BYTES, len(data), CHUNK_BYTES):
        yield pb.WriteContentRequest(chunk=data[start : start + CHUNK_BYTES])
