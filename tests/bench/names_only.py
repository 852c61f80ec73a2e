"""Kernels that are names only, for jupyter_server: a provisioner that starts one for all.

The first kernel is a real one. What the server connects to for the others is that one,
too, so that nothing tries again and again to connect to what is not there. Imported by
jupyter_server, in its own environment.
"""

from typing import Any, ClassVar

import zmq
from jupyter_client.provisioning import LocalProvisioner

_SOCKETS = 20_000
_PORTS = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")


class _Nobody:
    """Stands for a process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, once it was told to end."""
        return self.returncode

    def wait(self) -> int | None:
        """Return the exit status."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """End."""
        self.returncode = -number


class NamesOnly(LocalProvisioner):
    """Lets all kernels share the process of the first."""

    _first: ClassVar[dict[str, Any]] = {}

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the kernel listen where the first one does."""
        manager: Any = self.parent
        if not self._first:
            # A server's context has 1,023 sockets at most, of which each kernel takes some.
            manager.context.set(zmq.MAX_SOCKETS, _SOCKETS)
        else:
            for name in _PORTS:
                setattr(manager, name, self._first[name])
            manager.session.key = self._first["key"]
            self.ports_cached = True
        prepared: dict[str, Any] = await super().pre_launch(**kwargs)
        return prepared

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Start the first one, and nothing for the others."""
        if not self._first:
            connection: dict[str, Any] = await super().launch_kernel(cmd, **kwargs)
            manager: Any = self.parent
            self._first |= {name: getattr(manager, name) for name in _PORTS}
            self._first |= {"key": manager.session.key, "pid": self.pid}
            return connection
        self.process = _Nobody(self._first["pid"])
        self.pid, self.pgid = self.process.pid, None
        return dict(self.connection_info)
