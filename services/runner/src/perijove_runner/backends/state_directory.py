"""Keeps kernels in files, in a directory that one runner at a time uses."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import msgspec
import structlog

from perijove_runner.backends import listening, relay_notes
from perijove_runner.backends.relay_notes import RelayNotesFile
from perijove_runner.backends.replacing import replace, writing
from perijove_runner.model import ConnectionInfo, KernelRecord

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_runner.backends.layout import StateLayout
    from perijove_runner.backends.spool import KernelSpool, SpoolRoom
    from perijove_runner.model import Kernelspec
    from perijove_runner.snapshot import RelaySnapshot

T = TypeVar("T")
log = structlog.get_logger()

_PYTHONS = frozenset(
    {"python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
)
_TEMPLATE = re.compile(r"\{([A-Za-z0-9_]+)\}")
_LOCK_TRIES = 30
_LOCK_PAUSE_S = 0.1
_MAX_OUTPUT_BYTES = 1024 * 1024
_SHOWN_OUTPUT_BYTES = 2048


class StateDirectoryInUseError(ValueError):
    """Another runner uses the directory."""


class StateDirectory:
    """A runner's state, locked for as long as the process lives.

    Nothing is synced to the disk: the state serves a runner that comes after
    this one on the same boot, and the kernels do not outlive the boot either.
    """

    def __init__(self, layout: StateLayout, room: SpoolRoom) -> None:
        """Make the directory private and lock it.

        Args:
            layout: What is where.
            room: The room for journals in it.

        Raises:
            StateDirectoryInUseError: if another runner holds it for some seconds.
        """
        self._layout = layout
        self._room = room
        for directory in (layout.root, layout.kernels, layout.journals, layout.processes):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A directory that was there before may be open to others.
        layout.root.chmod(0o700)
        # Not inherited by kernels: they would hold the lock beyond the runner.
        self._lock = os.open(layout.lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._take_lock()

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._lock)

    def make_place(self, kernel_id: str) -> None:
        """Make the private place of a new kernel, which others have started."""
        with writing():
            shutil.rmtree(self._layout.kernel(kernel_id), ignore_errors=True)
            self._layout.kernel(kernel_id).mkdir(mode=0o700)

    def connection(self, kernel_id: str, spec: Kernelspec) -> ConnectionInfo:
        """Make the private place of a new kernel, and say where it shall listen."""
        is_ipc = listening.takes_ipc(spec)
        ports = range(1, listening.PORTS + 1) if is_ipc else listening.free_ports()
        shell, iopub, stdin, control, heartbeat = ports
        connection = ConnectionInfo(
            transport="ipc" if is_ipc else "tcp",
            ip=str(self._layout.socket_base(kernel_id)) if is_ipc else listening.LOOPBACK,
            shell_port=shell,
            iopub_port=iopub,
            stdin_port=stdin,
            control_port=control,
            hb_port=heartbeat,
            key=secrets.token_hex(32),
            signature_scheme="hmac-sha256",
            kernel_name=spec.name,
        )
        self.make_place(kernel_id)
        with writing():
            replace(self._layout.connection_file(kernel_id), msgspec.json.encode(connection))
        return connection

    def argv(self, kernel_id: str, spec: Kernelspec) -> tuple[str, ...]:
        """Return the command line of a kernel, ready to run."""
        argv = list(spec.argv)
        if argv and argv[0] in _PYTHONS:
            # Which Python is first on the PATH is chance; this one has what it needs.
            argv[0] = sys.executable
        values = {
            "connection_file": str(self._layout.connection_file(kernel_id)),
            "prefix": sys.prefix,
            "resource_dir": spec.directory,
        }
        return tuple(_TEMPLATE.sub(lambda m: values.get(m[1], m[0]), part) for part in argv)

    def save(self, record: KernelRecord) -> None:
        """Keep a record in place of the kernel's previous one, whole or not at all."""
        with writing():
            path = self._layout.kernel(record.kernel_id) / "record.json"
            replace(path, msgspec.json.encode(record))

    def notes(self, kernel_id: str) -> RelayNotesFile:
        """Return the notes of a kernel's relay, to begin."""
        return RelayNotesFile(self._layout.relay_notes(kernel_id))

    def spool(self, kernel_id: str) -> KernelSpool:
        """Return where a kernel's journal is kept; what is there is left as it is."""
        return self._room.spool(self._layout.journal(kernel_id))

    def load(self) -> list[tuple[KernelRecord, RelaySnapshot | None]]:
        """Return what is kept, in order of the kernels' start. What cannot be read is dropped."""
        found = []
        for directory in self._layout.kernels.iterdir():
            record = _read(directory / "record.json", KernelRecord)
            if record is None or self._layout.kernel(record.kernel_id) != directory:
                log.warning("kernel's record dropped", directory=directory.name)
                shutil.rmtree(directory, ignore_errors=True)
                continue
            found.append((record, relay_notes.read(self._layout.relay_notes(record.kernel_id))))
        self._drop_stray_notes([record for record, _ in found])
        known = {self._layout.journal(record.kernel_id) for record, _ in found}
        self._room.drop(set(self._layout.journals.iterdir()) - known)
        return sorted(found, key=lambda pair: pair[0].create_time)

    def output(self, kernel_id: str) -> str:
        """Return the last that the kernel's process wrote to its stdout and stderr."""
        try:
            with self._layout.output(kernel_id).open("rb") as file:
                whole = file.seek(0, os.SEEK_END) <= _SHOWN_OUTPUT_BYTES
                file.seek(0 if whole else -_SHOWN_OUTPUT_BYTES, os.SEEK_END if not whole else 0)
                text = file.read(_SHOWN_OUTPUT_BYTES).decode(errors="replace")
        except OSError:
            return ""
        if not whole:
            # Not with half a line.
            text = text.partition("\n")[2]
        text = text.replace(str(self._layout.root), "<state>")
        return "".join(c for c in text if c.isprintable() or c in "\n\t").strip("\n")

    def remove(self, kernel_id: str) -> None:
        """Forget a kernel and remove its private place."""
        shutil.rmtree(self._layout.kernel(kernel_id), ignore_errors=True)

    def trim_outputs(self) -> None:
        """Empty the output files that have become too long.

        Kernels append to them, so that what they write next begins a short one.
        """
        for output in self._layout.kernels.glob("*/output.log"):
            try:
                if output.stat().st_size > _MAX_OUTPUT_BYTES:
                    os.truncate(output, 0)
            except OSError:
                continue

    def _take_lock(self) -> None:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # The previous runner may be about to end.
                time.sleep(_LOCK_PAUSE_S)
            else:
                return
        self.close()
        raise StateDirectoryInUseError("another runner uses the state directory")

    def _drop_stray_notes(self, records: list[KernelRecord]) -> None:
        known = {
            self._layout.note(record.process.pid, record.process.start_ticks)
            for record in records
            if record.process
        }
        for note in self._layout.processes.iterdir():
            if note not in known:
                note.unlink(missing_ok=True)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, json.JSONDecodeError):
        return None
