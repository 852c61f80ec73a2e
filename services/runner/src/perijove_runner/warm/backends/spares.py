"""Processes of this machine that wait to be made kernels."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import socket
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from perijove_runner.store import Launch
from perijove_runner.warm.model import Nature
from perijove_runner.warm.store import SpareLostError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_runner.backends.launcher import LocalLauncher
    from perijove_runner.backends.layout import StateLayout
    from perijove_runner.backends.processes import LocalProcess
    from perijove_runner.backends.state_directory import StateDirectory
    from perijove_runner.model import Kernelspec
    from perijove_runner.warm.backends.programs import Programs

_HOOK: Final = Path(__file__).parent / "hook"
_VARIABLE: Final = "PERIJOVE_WARM"
_PYTHONPATH: Final = "PYTHONPATH"
_CONNECTION_FILE: Final = "{connection_file}"
_READY_S: Final = 60.0
_CLAIM_S: Final = 2.0
_END_S: Final = 5.0
_MAX_READY_BYTES: Final = 1024 * 1024
_MAX_ENVIRONMENT: Final = 128 * 1024
"""Characters; far below what the system refuses, which shall decide above that."""


class _Ready(msgspec.Struct, frozen=True):
    looked_at: frozenset[str]
    origins: tuple[str, ...]


class LocalSpares:
    """Starts them."""

    def __init__(
        self,
        launcher: LocalLauncher,
        layout: StateLayout,
        state: StateDirectory,
        programs: Programs,
    ) -> None:
        self._launcher = launcher
        self._layout = layout
        self._state = state
        self._programs = programs

    def can_make(self, spec: Kernelspec) -> bool:
        """Return whether kernels of a kernelspec can be started beforehand."""
        environment = self._launcher.environment(self._launch_of(spec, ""))
        path = environment.get(_PYTHONPATH, "")
        # What is relative is so to the directory of a kernel, which is not known yet.
        settled = all(map(os.path.isabs, filter(None, path.split(os.pathsep))))
        return settled and bool(self._programs.modules(spec))

    def make(self, spec: Kernelspec) -> LocalSpare:
        """Start one; it is not ready yet.

        Raises:
            SpareLostError: if it cannot be started.
        """
        # A place that is none, with a path as long as any kernel's.
        placeholder = uuid.uuid4().hex
        launch = self._launch_of(spec, placeholder)
        nature = Nature(
            _generic(launch.argv, self._connection_file(placeholder)),
            self._launcher.environment(launch),
        )
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            told = {"descriptor": theirs.fileno(), "modules": self._programs.modules(spec)}
            path = os.pathsep.join(filter(None, (str(_HOOK), nature.environment.get(_PYTHONPATH))))
            process = self._launcher.start(
                launch.argv,
                directory=None,
                environment={
                    **nature.environment,
                    _PYTHONPATH: path,
                    _VARIABLE: json.dumps(told),
                },
                output=self._layout.warm_output,
                descriptor=theirs.fileno(),
            )
        except OSError as error:
            ours.close()
            raise SpareLostError(error.strerror or "not started") from error
        finally:
            theirs.close()
        return LocalSpare(self, process, ours, nature, placeholder)

    def nature_of(self, spec: Kernelspec) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the arguments and variables that one made now would have."""
        placeholder = ""
        launch = self._launch_of(spec, placeholder)
        arguments = _generic(launch.argv, self._connection_file(placeholder))
        return arguments, self._launcher.environment(launch)

    def wanted(self, launch: Launch) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the arguments and variables of what is to be launched."""
        arguments = _generic(launch.argv, self._connection_file(launch.kernel_id))
        return arguments, self._launcher.environment(launch)

    def claim_of(self, launch: Launch, placeholder: str) -> bytes:
        """Return what a process is told that waits under a placeholder's name."""
        directory = self._launcher.directory(launch)
        for left in self._layout.kernel(launch.kernel_id).glob("s-*"):
            left.unlink()
        claim = {
            "placeholder": self._connection_file(placeholder),
            "connection_file": self._connection_file(launch.kernel_id),
            "directory": directory or "",
            "output": str(self._layout.output(launch.kernel_id)),
            "environment": list(self._launcher.environment(launch).items()),
        }
        # Variables that are no text have surrogates in them, which only this encodes.
        return json.dumps(claim).encode()

    def _launch_of(self, spec: Kernelspec, kernel_id: str) -> Launch:
        return Launch(
            kernel_id=kernel_id,
            argv=self._state.argv(kernel_id, spec),
            kernelspec_environment=spec.environment,
            environment={},
            working_directory="",
        )

    def _connection_file(self, kernel_id: str) -> str:
        return str(self._layout.connection_file(kernel_id))


class LocalSpare:
    """One of them."""

    def __init__(
        self,
        spares: LocalSpares,
        process: LocalProcess,
        control: socket.socket,
        nature: Nature,
        placeholder: str,
    ) -> None:
        self._spares = spares
        self._process = process
        self._control = control
        self._nature = nature
        self._placeholder = placeholder
        self._origins: tuple[str, ...] = ()
        self._stamps: tuple[int, ...] = ()
        self._over = asyncio.create_task(process.wait())

    async def until_ready(self) -> None:
        """Wait until it has imported what it will need.

        Raises:
            SpareLostError: if it ends, or takes too long.
        """
        try:
            async with asyncio.timeout(_READY_S):
                said = msgspec.json.decode(await self._read_line(), type=_Ready)
        except (OSError, TimeoutError, msgspec.MsgspecError) as error:
            raise SpareLostError("it does not become ready") from error
        self._nature = dataclasses.replace(self._nature, looked_at=said.looked_at)
        self._origins = said.origins
        self._stamps = await asyncio.to_thread(_stamps, said.origins)

    def ended(self) -> bool:
        """Return whether the process is no more."""
        return self._over.done()

    async def outdated(self) -> bool:
        """Return whether something was installed since, or removed."""
        return await asyncio.to_thread(_stamps, self._origins) != self._stamps

    def made_of(self, spec: Kernelspec) -> bool:
        """Return whether it is what it would be if it were made now."""
        arguments, environment = self._spares.nature_of(spec)
        return (arguments, environment) == (self._nature.arguments, self._nature.environment)

    def suits(self, launch: Launch) -> bool:
        """Return whether it can become what is to be launched."""
        arguments, environment = self._spares.wanted(launch)
        size = sum(len(name) + len(value) for name, value in environment.items())
        return size <= _MAX_ENVIRONMENT and self._nature.suits(arguments, environment)

    async def claim(self, launch: Launch) -> LocalProcess:
        """Make it the kernel that is to be launched.

        Raises:
            SpareLostError: if that fails; it is ended.
        """
        try:
            taken = await self._taken(launch)
        except BaseException:
            # The caller goes away: a kernel that nobody knows of must not be.
            await self.end()
            raise
        if not taken:
            await self.end()
            raise SpareLostError("it does not take what it is told")
        self._control.close()
        return self._process

    def pause(self) -> None:
        """Have it leave the processor to others, at its next import."""
        self._say(b"p")

    def go_on(self) -> None:
        """Have it go on."""
        self._say(b"g")

    async def end(self) -> None:
        """End it, and wait until it is gone."""
        self._process.kill()
        self._control.close()
        await asyncio.wait({self._over}, timeout=_END_S)

    async def _taken(self, launch: Launch) -> bool:
        """Tell it what to be; return whether it is."""
        loop = asyncio.get_running_loop()
        with suppress(OSError, TimeoutError):
            claim = await asyncio.to_thread(self._spares.claim_of, launch, self._placeholder)
            async with asyncio.timeout(_CLAIM_S):
                await loop.sock_sendall(self._control, b"c%08x" % len(claim) + claim)
                return await loop.sock_recv(self._control, 1) == b"a"
        return False

    def _say(self, word: bytes) -> None:
        # One that has ended needs no word; one that does not read has got enough of them.
        with suppress(OSError):
            self._control.send(word)

    async def _read_line(self) -> bytes:
        loop = asyncio.get_running_loop()
        line = bytearray()
        while not line.endswith(b"\n"):
            piece = await loop.sock_recv(self._control, 65536)
            if not piece or len(line) > _MAX_READY_BYTES:
                raise SpareLostError("it ended before it was ready")
            line += piece
        return bytes(line)


def _generic(arguments: Sequence[str], connection_file: str) -> tuple[str, ...]:
    sign = re.escape(connection_file)
    return tuple(re.sub(sign, _CONNECTION_FILE, argument) for argument in arguments)


def _stamps(paths: Sequence[str]) -> tuple[int, ...]:
    return tuple(_stamp(path) for path in paths)


def _stamp(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0
