"""Runs the real command and looks at what it started, from outside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

GENEROUS_S = 60.0
SPARED = "PERIJOVE_SPARED"
"""Variable of what is meant to stay: the user's browser."""
_POLL_S = 0.02


async def until(condition: Callable[[], Any], within_s: float = GENEROUS_S) -> Any:
    """Wait until a condition holds and return its value."""
    async with asyncio.timeout(within_s):
        while not (value := condition()):  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(_POLL_S)
    return value


def wait_for(condition: Callable[[], Any], within_s: float = GENEROUS_S) -> Any:
    """Wait as `until` does, in a test that has no event loop."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(_POLL_S)
    return value


class Home:
    """A user's home of its own, so that a test sees and leaves nothing elsewhere."""

    def __init__(self, path: Path) -> None:
        self.root = path / "root"
        self.root.mkdir()
        self.runtime = Path(tempfile.mkdtemp(prefix="pj-", dir="/tmp"))
        self.jupyter_runtime = path / "jupyter-runtime"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "PERIJOVE", "JPY_", "XDG_"))
        } | {
            "HOME": str(path),
            "IPYTHONDIR": str(path / "ipython"),
            "JUPYTER_CONFIG_DIR": str(path / "jupyter-config"),
            "JUPYTER_DATA_DIR": str(path / "jupyter-data"),
            "JUPYTER_RUNTIME_DIR": str(self.jupyter_runtime),
            # Terminals start it, and tests type in it; not everybody's is bash.
            "SHELL": "/bin/bash",
        }


class RunningPerijove:
    """One `perijove up`, with everything it started."""

    def __init__(self, home: Home, *arguments: str, **environment: str) -> None:
        self.root_dir = home.root
        self.runtime_dir = home.runtime
        self.home = home
        self._output = home.root.parent / "terminal.out"
        command = Path(sys.executable).with_name("perijove")
        given = {"--root-dir": str(home.root), "--runtime-dir": str(home.runtime), "--port": "0"}
        if "--port" in arguments:
            del given["--port"]
        rest = [part for pair in given.items() for part in pair]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [command, "up", *rest, *arguments],
                env=home.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self) -> RunningPerijove:
        """Wait until it says that it is ready."""
        deadline = time.monotonic() + GENEROUS_S
        while "Perijove is ready" not in self.said:
            assert self.process.poll() is None, f"it ended:\n{self.said}"
            assert time.monotonic() < deadline, f"it is not ready:\n{self.report()}"
            time.sleep(_POLL_S)
        return self

    @property
    def said(self) -> str:
        """Everything it has said on the terminal."""
        return self._output.read_text()

    @property
    def record(self) -> dict[str, Any]:
        """What `perijove.json` says now."""
        found: dict[str, Any] = json.loads((self.runtime_dir / "perijove.json").read_text())
        return found

    @property
    def url(self) -> str:
        return str(self.record["url"])

    @property
    def token(self) -> str:
        return str(self.record["token"])

    def target(self, name: str) -> str:
        """Return the gRPC target of a service."""
        return str(self.record["targets"][name])

    def pid(self, name: str) -> int:
        """Return the id of a process; 0 if it does not run.

        `runner` is the runner itself, `runner_supervisor` its parent.
        """
        processes = self.record["processes"]
        if name == "runner":
            return self._runner(processes.get("runner", 0))
        return int(processes.get(name.removesuffix("_supervisor"), 0))

    def kill(self, name: str) -> int:
        """Kill a process as hard as possible and return its id."""
        pid = self.pid(name)
        assert pid, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    async def wait_restarted(self, name: str, old_pid: int) -> int:
        """Wait until a process runs again and return its new id."""
        return int(await until(lambda: self._other(name, old_pid)))

    def descendants(self) -> list[psutil.Process]:
        """Return every process below the launcher."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Tell it to stop, and check that it ends well and leaves nothing."""
        if self.process.poll() is not None:
            self.expect_nothing_left()
            return
        below = self.descendants()
        self.process.send_signal(number)
        assert self.process.wait(GENEROUS_S) == 0, self.report()
        _, alive = psutil.wait_procs(below, timeout=0)
        left = [process for process in alive if SPARED not in _environment(process)]
        assert not left, f"left behind: {left}\n{self.report()}"
        self.expect_nothing_left()

    def end(self) -> None:
        """Make sure that nothing runs, whatever state it is in."""
        found = set(self._mine())
        if self.process.poll() is None:
            found.update(self.descendants())
            self.process.kill()
            self.process.wait()
        for process in found | set(self._mine()):
            process.kill()
        psutil.wait_procs(found, timeout=10)

    def expect_nothing_left(self) -> None:
        """Check that no process of it runs, wherever it may have gone."""
        mine = self._mine()
        assert not mine, f"left behind: {[process.cmdline() for process in mine]}"

    def report(self) -> str:
        """Return what it said and the ends of all logs, for a failed test."""
        parts = [f"--- terminal\n{self.said}"]
        for path in sorted(self.runtime_dir.glob("logs/*.log")):
            lines = path.read_text(errors="replace").splitlines()
            parts.append(f"--- {path.name}\n" + "\n".join(lines[-15:]))
        return "\n".join(parts)

    def _other(self, name: str, old_pid: int) -> int:
        pid = self.pid(name)
        return pid if pid != old_pid else 0

    def _runner(self, supervisor: int) -> int:
        if not psutil.pid_exists(supervisor):
            return 0
        for process in psutil.Process(supervisor).children():
            command = command_line(process)
            if "perijove_runner" in command and "-f" not in command:
                return process.pid
        return 0

    def _mine(self) -> list[psutil.Process]:
        """Find processes by the runtime directory in their command or environment."""
        found = []
        for process in psutil.process_iter():
            environment = _environment(process)
            words = [*command_line(process), *environment.values()]
            if SPARED not in environment and any(str(self.runtime_dir) in word for word in words):
                found.append(process)
        return found


def _environment(process: psutil.Process) -> dict[str, str]:
    """Return a process's environment; nothing if it is gone or waits to be reaped."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def command_line(process: psutil.Process) -> list[str]:
    """Return a process's command line; nothing if it is gone or waits to be reaped."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
