"""A `perijove runner` of a test, with everything it started."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.running import wait_for

if TYPE_CHECKING:
    from tests.running import Home, RunningPerijove

GENEROUS_S = 60.0


class JoinedRunner:
    """One state directory, and the runner that is started in it again and again."""

    def __init__(self, home: Home) -> None:
        self.state = Path(tempfile.mkdtemp(prefix="pj-", dir="/tmp"))
        self.work = home.root.parent / "work"
        self.work.mkdir(exist_ok=True)
        self._output = self.state.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None
        self.address = ""
        """Host and port under which it is dialled, once it was ready."""
        self._environment = home.environment

    def start(self, *arguments: str, **environment: str) -> JoinedRunner:
        """Start it on the machine that this thread is on; what is set stays for the next time."""
        self._environment = self._environment | environment
        command = Path(sys.executable).with_name("perijove")
        given = ["--state-dir", str(self.state), "--work-dir", str(self.work)]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [command, "runner", *given, *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def wait_ready(self) -> JoinedRunner:
        """Wait until it says that it is ready."""
        wait_for(lambda: "The runner is ready" in self.said or self._ended())
        assert not self._ended(), self.report()
        found = re.search(r"Reached at +(\S+)", self.said)
        assert found, self.said
        self.address = found[1]
        return self

    def wait_refused(self) -> str:
        """Wait until it gives up, and return why."""
        assert self.process
        assert self.process.wait(GENEROUS_S) == 1, self.report()
        return self.said

    @property
    def runner_id(self) -> str:
        """The id it was given."""
        return str(json.loads((self.state / "membership/membership.json").read_text())["runner_id"])

    @property
    def said(self) -> str:
        """Everything it has said on the terminal since it was started."""
        return self._output.read_text()

    def stop(self) -> None:
        """Tell it to stop, and check that it does."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(GENEROUS_S) == 0, self.report()

    def left(self) -> list[psutil.Process]:
        """Return the processes that have the state directory in their command or environment."""
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
            except psutil.Error:
                continue
            if process.pid != os.getpid() and any(str(self.state) in word for word in words):
                found.append(process)
        return found

    def end(self) -> None:
        """Make sure that nothing runs, whatever state it is in."""
        for process in self.left():
            process.kill()
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.state, ignore_errors=True)
        self._output.unlink(missing_ok=True)

    def report(self) -> str:
        """Return what it said and the end of its log, for a failed test."""
        logs = [path.read_text()[-3000:] for path in self.state.glob("logs/*.log")]
        return "\n".join([self.said, *logs])

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


def install_kernelspec(directory: Path, name: str) -> dict[str, str]:
    """Install a kernelspec, and return the variables with which a runner finds it."""
    spec = directory / "kernels" / name / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": name, "language": "python"}))
    return {"JUPYTER_PATH": str(directory)}


def invitation(said: str) -> list[str]:
    """Return the arguments of the command for joining that is in a text."""
    found = re.search(r"perijove runner (--join \S+ --token \S+)", said)
    assert found, said
    return found[1].split()


def token(perijove: RunningPerijove, *arguments: str) -> str:
    """Run `perijove token` where a deployment runs, and return what it says."""
    return command(perijove, "token", *arguments)


def command(perijove: RunningPerijove, *arguments: str) -> str:
    """Run `perijove` where a deployment runs, and return what it says."""
    done = subprocess.run(
        [Path(sys.executable).with_name("perijove"), *arguments],
        env=perijove.home.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
