"""Machines that are none: network namespaces, with a link between them that can be cut."""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.running import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = Path("/proc/thread-self/ns/net")
_INTERFACE = "eth0"


class Machine:
    """A network of its own for the processes that are started inside."""

    def __init__(self, address: str) -> None:
        """Make one.

        Args:
            address: That it has once it is linked to another.
        """
        self.address = address
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._network = Path(f"/proc/{self._holder.pid}/ns/net")
        wait_for(self._is_apart)
        self._ip("link", "set", "lo", "up")

    @property
    def network(self) -> str:
        """What tells its network from every other."""
        return str(self._network.readlink())

    def link_to(self, other: Machine) -> None:
        """Lay a cable to another machine."""
        pids = (str(self._holder.pid), str(other._holder.pid))
        ends = [["name", _INTERFACE, "netns", pid] for pid in pids]
        _run("ip", "link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for machine in (self, other):
            machine._ip("addr", "add", f"{machine.address}/24", "dev", _INTERFACE)
            machine.plug_in()

    def unplug(self) -> None:
        """Cut the link: what is sent is lost."""
        self._ip("link", "set", _INTERFACE, "down")

    def plug_in(self) -> None:
        """Restore it."""
        self._ip("link", "set", _INTERFACE, "up")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Do what follows on this machine: this thread, and what it starts."""
        own = os.open(_OWN, os.O_RDONLY)
        there = os.open(self._network, os.O_RDONLY)
        try:
            _enter(there)
            yield
        finally:
            _enter(own)
            os.close(own)
            os.close(there)

    def close(self) -> None:
        """Let it go; it is gone when no process is inside any more."""
        self._holder.kill()
        self._holder.wait()

    def _is_apart(self) -> bool:
        assert self._holder.poll() is None, "namespaces are not allowed here"
        return self.network != str(_OWN.readlink())

    def _ip(self, *arguments: str) -> None:
        with self.inside():
            _run("ip", *arguments)


def why_not() -> str:
    """Return why there can be no machines here; empty if there can."""
    try:
        done = subprocess.run(
            ["unshare", "--net", "ip", "link", "add", "pj0", "type", "veth"],
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        return f"{error.filename} is missing"
    return f"network namespaces are not allowed: {done.stderr}" if done.returncode else ""


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not done.returncode, f"{command}: {done.stderr}"


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0):
        raise OSError(ctypes.get_errno(), "setns")
