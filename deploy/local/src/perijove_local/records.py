"""What programs can read about a running Perijove."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from perijove_local import VERSION
from perijove_local.directory import jupyter_runtime, write_private
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perijove_local.process import Child
    from perijove_local.stack import Stack


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The file `perijove.json` of a runtime directory. Holds the token: 0600."""

    url: str
    token: str
    api_token: str
    """What programs present that call the services."""
    base_url: str
    root_dir: str
    runtime_dir: str
    pid: int
    """Of the launcher."""
    logs: str
    targets: dict[str, str]
    """gRPC target of each service."""
    processes: dict[str, int]
    """Process id of each process that runs."""
    pool: str = ""
    """Host and port where runners of other machines join; empty if nowhere."""


class Records:
    """Writes the record, and the one of Jupyter by which its tools find servers."""

    def __init__(self, stack: Stack, url: str) -> None:
        self._stack = stack
        self._url = url
        self._jupyter: Path | None = None

    def write(self, children: Iterable[Child]) -> None:
        """Write `perijove.json` as things are now."""
        options, directory = self._stack.options, self._stack.directory
        record = Record(
            url=self._url,
            token=options.token,
            api_token=self._stack.api_token.reveal(),
            base_url=options.base_url,
            root_dir=str(options.root),
            runtime_dir=str(directory.path),
            pid=os.getpid(),
            logs=str(directory.logs),
            targets=self._stack.targets(),
            processes={child.spec.name: child.pid for child in children if child.pid},
            pool=self._stack.pool.reachable if self._stack.pool else "",
        )
        write_private(directory.record, _text(record))

    def announce(self) -> None:
        """Write `jpserver-<pid>.json`, which VS Code and `jupyter server list` read.

        A Jupyter runtime directory that cannot be written is no reason to fail.
        """
        options, http = self._stack.options, self._stack.http
        found = {
            "base_url": options.base_url,
            "hostname": "localhost" if isinstance(http, str) else http[0],
            "password": not options.of_hub and options.password.has_one(),
            "perijove_runtime_dir": str(self._stack.directory.path),
            "pid": os.getpid(),
            "port": 0 if isinstance(http, str) else http[1],
            "root_dir": str(options.root),
            "secure": options.door.certfile is not None,
            "sock": http if isinstance(http, str) else "",
            "token": options.token,
            "url": self._url,
            "version": VERSION,
        }
        with suppress(OSError):
            directory = jupyter_runtime(os.environ)
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = directory / f"jpserver-{os.getpid()}.json"
            write_private(path, _text(found))
            self._jupyter = path

    def withdraw(self) -> None:
        """Remove what `announce` wrote."""
        if self._jupyter:
            self._jupyter.unlink(missing_ok=True)


def read_record(runtime: Path) -> Record:
    """Return what `perijove.json` of a runtime directory says.

    Raises:
        Failure: if it cannot be read.
    """
    try:
        return msgspec.json.decode((runtime / "perijove.json").read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        raise Failure(f"what runs in {runtime} is not known yet: try again") from None


def with_token(url: str, token: str) -> str:
    """Return a URL that carries the token."""
    return f"{url}?token={quote(token, safe='')}" if token else url


def _text(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"
