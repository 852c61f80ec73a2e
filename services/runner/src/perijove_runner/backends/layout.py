"""Where in its state directory a runner keeps what.

lock                    held by the runner that uses the directory
k/<12 hex digits>/      one kernel, private to the user
    record.json         what the next runner needs to find it
    relay.notes         what its relay needs
    run.notes           what was run for programs
    connection.json     what the kernel reads: addresses and key
    s-1 .. s-5          its sockets
    output.log          its stdout and stderr
j/<12 hex digits>/      the older part of one kernel's journal
    <place>             records from there on
p/<pid>.<start ticks>   one process; how it ended, once its reaper knows
drain.json              that the runner is being drained
left                    that it was, and has left for good
warm.log                what processes print that wait to become kernels
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from perijove_runner.backends import notes

PORTS = 5
MAX_SOCKET_PATH_BYTES = 103
"""What every Unix takes: macOS has the least."""


class StateLayout:
    """Names the files of a state directory."""

    def __init__(self, root: str) -> None:
        """Name the files below an absolute path.

        Raises:
            ValueError: if the path is relative, or too long for sockets in it.
        """
        self.root = Path(root)
        if not self.root.is_absolute():
            raise ValueError("the state directory must be an absolute path")
        longest = f"{self.socket_base('')}-{PORTS}"
        if (over := len(longest.encode()) - MAX_SOCKET_PATH_BYTES) > 0:
            raise ValueError(
                f"the path of the state directory is {over} bytes too long for sockets in it"
            )

    @property
    def lock(self) -> Path:
        """The file that is locked by the runner that uses the directory."""
        return self.root / "lock"

    @property
    def kernels(self) -> Path:
        """The directory of all kernels' directories."""
        return self.root / "k"

    @property
    def journals(self) -> Path:
        """The directory of all kernels' journals."""
        return self.root / "j"

    @property
    def warm_output(self) -> Path:
        """The file of what is printed by processes that are no kernels yet."""
        return self.root / "warm.log"

    @property
    def processes(self) -> Path:
        """The directory of processes' notes."""
        return self.root / notes.DIRECTORY

    def kernel(self, kernel_id: str) -> Path:
        """Return the directory of a kernel; short, whatever the id."""
        return self.kernels / _short(kernel_id)

    def journal(self, kernel_id: str) -> Path:
        """Return the directory of a kernel's journal. It outlives the kernel's a little."""
        return self.journals / _short(kernel_id)

    def connection_file(self, kernel_id: str) -> Path:
        """Return the file in which a kernel finds its addresses and key."""
        return self.kernel(kernel_id) / "connection.json"

    def relay_notes(self, kernel_id: str) -> Path:
        """Return the file of what a kernel's relay knows."""
        return self.kernel(kernel_id) / "relay.notes"

    def run_notes(self, kernel_id: str) -> Path:
        """Return the file of what was run in a kernel for programs."""
        return self.kernel(kernel_id) / "run.notes"

    def output(self, kernel_id: str) -> Path:
        """Return the file of a kernel's stdout and stderr."""
        return self.kernel(kernel_id) / "output.log"

    def socket_base(self, kernel_id: str) -> Path:
        """Return the path that `-<port>` is added to for each of a kernel's sockets."""
        return self.kernel(kernel_id) / "s"

    def note(self, pid: int, start_ticks: int) -> Path:
        """Return the note of a process: empty while it lives."""
        return self.processes / f"{pid}.{start_ticks}"


def _short(kernel_id: str) -> str:
    return hashlib.sha256(kernel_id.encode()).hexdigest()[:12]
