"""Several of everything: edges, sessions and kernels services in threes, and four runners."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from perijove_chassis.credentials import derive_key, runner_name
from perijove_chassis.settings import Secret
from yarl import URL

from tests.bench import echo_kernel
from tests.chaos.replicas import Replica
from tests.ports import free_port
from tests.running import GENEROUS_S, wait_for

if TYPE_CHECKING:
    from tests.running import Home, RunningPerijove

REPLICAS = (2, 3)
RUNNERS = (2, 3, 4)
"""Beside the launcher's own."""


def add_echo_kernel(home: Home) -> None:
    """Install a kernel that costs next to nothing under the name `echo`."""
    folder = Path(home.environment["JUPYTER_DATA_DIR"], "kernels", "echo")
    folder.mkdir(parents=True)
    spec = {
        "argv": [sys.executable, echo_kernel.__file__, "{connection_file}"],
        "display_name": "Echo",
        "language": "echo",
        # Ports of one machine are raced for, by as many kernels as start here at once.
        "metadata": {"perijove": {"transport": "ipc"}},
    }
    (folder / "kernel.json").write_text(json.dumps(spec))


class Deployment:
    """What the launcher started, and more of the same.

    Edge 1 asks sessions 1 and kernels 1, and so on; a runner knows all kernels services.
    The launcher starts its own again if they are killed, a test the others.
    """

    def __init__(self, perijove: RunningPerijove) -> None:
        self.perijove = perijove
        self.urls = [URL(perijove.url)]
        self._more: dict[tuple[str, int], Replica] = {}
        self._environments = {
            name: psutil.Process(perijove.pid(name)).environ()
            for name in ("gateway_http", "sessions", "kernels", "runner")
        }

    def start(self) -> None:
        """Start all that are not the launcher's, and wait until they answer."""
        for number in REPLICAS:
            self._add("kernels", number, {})
            self._add("sessions", number, {"KERNELS": self._target("kernels", number)})
            self._add_edge(number)
        for number in RUNNERS:
            self._add_runner(number)
        for replica in self._more.values():
            replica.start()
        for kind, number in self._more:
            wait_for(lambda kind=kind, number=number: self._answers(kind, number))

    def kill(self, kind: str, number: int) -> None:
        """Kill a replica as hard as possible, start it again, and wait until it answers."""
        replica = self._more[kind, number]
        assert replica.process
        replica.process.kill()
        replica.process.wait()
        replica.start()
        wait_for(lambda: self._answers(kind, number))

    def stop(self) -> None:
        """End all that are not the launcher's."""
        for replica in self._more.values():
            if replica.process:
                replica.process.terminate()
        for replica in self._more.values():
            if replica.process:
                replica.process.wait(GENEROUS_S)

    def echo_kernels(self) -> list[str]:
        """Return the connection files of the cheap kernels that run."""
        found = []
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
            except psutil.Error:
                continue
            if echo_kernel.__file__ in words and str(self.perijove.runtime_dir) in words[-1]:
                found.append(words[-1])
        return found

    def _answers(self, kind: str, number: int) -> bool:
        if kind == "gateway_http":
            family, address = socket.AF_INET, ("127.0.0.1", self.urls[number - 1].port)
        else:
            family, address = socket.AF_UNIX, self._target(kind, number).removeprefix("unix:")
        with socket.socket(family) as probe:
            return probe.connect_ex(address) == 0

    def _target(self, kind: str, number: int) -> str:
        return f"unix:{self.perijove.runtime_dir}/{kind}-{number}.sock"

    def _add(self, kind: str, number: int, told: dict[str, str]) -> None:
        prefix = f"PERIJOVE_{kind.upper()}_"
        told = {"LISTEN": self._target(kind, number), **told}
        changed = {f"{prefix}{name}": value for name, value in told.items()}
        module = "runner.supervisor" if kind == "runner" else kind
        environment = self._environments[kind] | changed
        log = self.perijove.runtime_dir / "logs" / f"{kind}-{number}.log"
        self._more[kind, number] = Replica(module, number, environment, log)

    def _add_edge(self, number: int) -> None:
        port = free_port()
        self.urls.append(self.urls[0].with_port(port))
        services = {kind.upper(): self._target(kind, number) for kind in ("kernels", "sessions")}
        self._add("gateway_http", number, {"LISTEN_FD": "-1", "PORT": str(port), **services})

    def _add_runner(self, number: int) -> None:
        service_key = Secret(self._environments["kernels"]["PERIJOVE_KERNELS_SERVICE_KEY"])
        state = self.perijove.runtime_dir / f"runner-{number}"
        state.mkdir(mode=0o700)
        targets = [self.perijove.target("kernels")]
        targets += [self._target("kernels", replica) for replica in REPLICAS]
        told = {
            "ID": f"r{number}",
            "STATE_DIR": str(state),
            "KERNELS": ",".join(targets),
            "SERVICE_KEY": derive_key(service_key, runner_name(f"r{number}")).hex(),
        }
        self._add("runner", number, told)
