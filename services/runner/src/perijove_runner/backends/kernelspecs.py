"""The kernelspecs installed on this machine, read anew when their directories change."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog
from perijove_chassis.errors import NotFound, ResourceExhausted, Unavailable

from perijove_runner.model import Kernelspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from perijove_runner.model import KernelspecChoice

log = structlog.get_logger()

CHUNK_BYTES = 1024 * 1024
MAX_RESOURCE_BYTES = 8 * CHUNK_BYTES

_LISTING = ("-m", "perijove_runner.backends.kernelspec_listing")
_LISTING_S = 60.0
_FIRST_LISTING_S = 10.0


class _Spec(msgspec.Struct, frozen=True):
    directory: str
    argv: tuple[str, ...]
    display_name: str
    language: str
    interrupt_mode: str
    env: dict[str, str]
    metadata: msgspec.Raw
    kernel_protocol_version: str = ""


class _Culling(msgspec.Struct, frozen=True):
    cull_idle_timeout: float | None = None


class _Order(msgspec.Struct, frozen=True):
    concurrent: bool = False


class _Listing(msgspec.Struct, frozen=True):
    kernelspecs: dict[str, msgspec.Raw]
    searched: tuple[str, ...]


class InstalledKernelspecs:
    """Knows the kernelspecs as of the last `refresh`."""

    def __init__(self, environ: Mapping[str, str], choice: KernelspecChoice) -> None:
        """Know none yet.

        Args:
            environ: Environment that says where to look, for example `JUPYTER_PATH`.
            choice: Which of them may be started.
        """
        self._arguments = ("native" if choice.native else "installed", *choice.allowed)
        self._environ = dict(environ)
        self._specs: dict[str, Kernelspec] = {}
        self._watched: tuple[str, ...] = ()
        self._seen: tuple[int, ...] | None = None
        self._known = asyncio.Event()

    def all(self) -> list[Kernelspec]:
        """Return them in order of their names."""
        return [self._specs[name] for name in sorted(self._specs)]

    async def get(self, name: str) -> Kernelspec:
        """Return one by its name, in any case of letters.

        Raises:
            NotFound: with reason `NO_SUCH_KERNELSPEC`.
            Unavailable: if they are not known yet, soon after the start.
        """
        try:
            async with asyncio.timeout(_FIRST_LISTING_S):
                await self._known.wait()
        except TimeoutError:
            raise Unavailable("the kernelspecs are not known yet") from None
        spec = self._specs.get(name.lower())
        if spec is None:
            raise NotFound(f"Kernel spec {name} not found", reason="NO_SUCH_KERNELSPEC")
        return spec

    async def refresh(self) -> bool:
        """Read them again if a directory has changed, and return whether they have."""
        if await asyncio.to_thread(_stamps, self._watched) == self._seen:
            return False
        listing = await self._list()
        if listing is None:
            return False
        before = self._specs
        self._specs = await asyncio.to_thread(_parse_all, listing)
        directories = (spec.directory for spec in self._specs.values())
        self._watched = tuple(_files_to_watch(listing.searched, directories))
        self._seen = await asyncio.to_thread(_stamps, self._watched)
        self._known.set()
        return self._specs != before

    async def read_resource(self, name: str, resource: str) -> AsyncIterator[bytes]:
        """Read a file of a kernelspec in chunks of at most 1 MiB.

        Raises:
            NotFound: if there is no such kernelspec or file.
            ResourceExhausted: if it is larger than 8 MiB.
        """
        spec = await self.get(name)
        path = Path(spec.directory, resource)
        content = await asyncio.to_thread(_read_file, path, f"{name}/{resource}")
        for begin in range(0, len(content), CHUNK_BYTES):
            yield content[begin : begin + CHUNK_BYTES]

    async def _list(self) -> _Listing | None:
        try:
            # In a thread: the event loop's way to start a process disturbs gRPC's threads.
            printed = await asyncio.to_thread(
                subprocess.check_output,
                (sys.executable, *_LISTING, *self._arguments),
                stdin=subprocess.DEVNULL,
                env=self._environ,
                timeout=_LISTING_S,
            )
            return msgspec.json.decode(printed, type=_Listing)
        except (OSError, subprocess.SubprocessError, msgspec.MsgspecError):
            # Those known stay, and the next refresh tries again.
            log.warning("kernelspecs not read")
            return None


def _parse_all(listing: _Listing) -> dict[str, Kernelspec]:
    specs = {}
    for name, raw in listing.kernelspecs.items():
        try:
            specs[name] = _parse(name, raw)
        except msgspec.MsgspecError as error:
            log.warning("kernelspec skipped", kernelspec_name=name, why=str(error))
    return specs


def _parse(name: str, raw: msgspec.Raw) -> Kernelspec:
    spec = msgspec.json.decode(raw, type=_Spec)
    try:
        entries = sorted(entry.name for entry in os.scandir(spec.directory) if entry.is_file())
    except OSError:
        entries = []
    return Kernelspec(
        name=name,
        display_name=spec.display_name,
        language=spec.language,
        argv=spec.argv,
        environment=spec.env,
        interrupt_mode=spec.interrupt_mode,
        metadata=bytes(spec.metadata),
        resources=tuple(entries),
        protocol_version=spec.kernel_protocol_version,
        directory=spec.directory,
        cull_idle_s=_cull_idle_s(spec.metadata),
        concurrent=_is_concurrent(spec.metadata),
    )


def _cull_idle_s(metadata: msgspec.Raw) -> float | None:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(metadata, type=_Culling).cull_idle_timeout
    return None


def _is_concurrent(metadata: msgspec.Raw) -> bool:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(metadata, type=_Order).concurrent
    return False


def _files_to_watch(searched: Iterable[str], directories: Iterable[str]) -> Iterable[str]:
    yield from searched
    for directory in directories:
        yield directory
        yield str(Path(directory, "kernel.json"))


def _stamps(paths: Iterable[str]) -> tuple[int, ...]:
    return tuple(_stamp(path) for path in paths)


def _stamp(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def _read_file(path: Path, name: str) -> bytes:
    try:
        # Not blocking: a pipe in the directory must not hold the reader.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise _no_such_file(name) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _no_such_file(name)
        content = file.read(MAX_RESOURCE_BYTES + 1)
    if len(content) > MAX_RESOURCE_BYTES:
        raise ResourceExhausted(f"larger than 8 MiB: {name}", reason="LIMIT_EXCEEDED")
    return content


def _no_such_file(name: str) -> NotFound:
    return NotFound(f"no file of a kernelspec: {name}", reason="NO_SUCH_ENTRY")
