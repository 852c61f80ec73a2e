"""The private directory of one running Perijove: sockets, state, logs, records."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 75
"""Bytes of the directory's path: sockets below it must stay within the 103 of every system."""


class RuntimeDirectory:
    """Owns the directory while the command runs: nobody else may use or read it."""

    def __init__(self, given: Path | None, *, option: str = "--runtime-dir") -> None:
        """Make or take the directory, and lock it.

        Raises:
            Failure: if it is in use, not private, or its path too long.
        """
        self._made = given is None
        self.path = _make() if given is None else _take(given, option)
        if len(os.fsencode(self.path)) > _LONGEST:
            self.remove()
            raise Failure(
                f"the path of the runtime directory {self.path} is too long for sockets in it: "
                f"at most {_LONGEST} bytes; choose another one with {option}"
            )
        self._lock = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"another perijove uses the runtime directory {self.path}") from None
        for name in ("logs", "redis", "runner"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)

    @property
    def record(self) -> Path:
        """The file that tells programs what runs here."""
        return self.path / "perijove.json"

    @property
    def page(self) -> Path:
        """The file that leads the browser to the front end."""
        return self.path / "open.html"

    @property
    def logs(self) -> Path:
        """Where the processes log."""
        return self.path / "logs"

    def runner_id(self) -> str:
        """Return the id of the runner that works here: the same one after a restart.

        Else the registry, if it is kept, would place kernels on the one before
        until that counts as lost.
        """
        file = self.path / "runner.id"
        with suppress(FileNotFoundError):
            if found := file.read_text().strip():
                return found
        made = f"local-{secrets.token_hex(4)}"
        write_private(file, made)
        return made

    def socket(self, name: str) -> Path:
        """Return the path of a process's unix socket."""
        return self.path / f"{name}.sock"

    def remove(self) -> None:
        """Remove the directory, unless the user named it; there the logs stay."""
        if self._made:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        for path in (
            self.record,
            self.page,
            *self.path.glob("*.sock"),
            *self.path.glob("*.sock.lock"),
        ):
            with suppress(OSError):
                path.unlink()


def is_in_use(path: Path) -> bool:
    """Return whether a running command owns a directory. Its lock ends with its process."""
    try:
        lock = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def jupyter_runtime(environ: Mapping[str, str]) -> Path:
    """Return the directory where Jupyter's tools look for running servers.

    The answer is that of `jupyter_core.paths`, which costs too much memory to import.
    """
    if directory := environ.get("JUPYTER_RUNTIME_DIR"):
        return Path(directory)
    if directory := environ.get("JUPYTER_DATA_DIR"):
        return Path(directory, "runtime")
    if sys.platform == "darwin":
        return Path.home() / "Library/Jupyter/runtime"
    data = environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(data, "jupyter/runtime")


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


_TEMPORARY = "/tmp"  # noqa: S108 - what TMPDIR names is often too long for sockets


def _make() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and os.access(base, os.W_OK | os.X_OK) and len(os.fsencode(base)) < _LONGEST // 2:
        path = Path(base, f"perijove-{os.getpid()}")
        # Left by a process with the same id that was killed: nobody uses it any more.
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        return path
    return Path(tempfile.mkdtemp(prefix=f"perijove-{os.getuid()}-", dir=_TEMPORARY))


def _take(given: Path, option: str) -> Path:
    try:
        given.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = given.stat()
    except OSError as error:
        raise Failure(f"{option} {given} cannot be used: {error.strerror}") from None
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise Failure(f"{option} {given} must be yours alone: chmod 700 it")
    return given.resolve()
