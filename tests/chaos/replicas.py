"""Three edges and three kernels services before one runner, of which any may be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from yarl import URL

from tests.ports import free_port
from tests.running import GENEROUS_S, wait_for

if TYPE_CHECKING:
    import random

    from tests.running import RunningPerijove


@dataclass
class Replica:
    """A process of its kind beside the launcher's own; the test is what starts it again."""

    kind: str
    number: int
    environment: dict[str, str]
    log: Path = Path(os.devnull)
    """What it says is added there."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, anew if it was killed."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"perijove_{self.kind}"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End it as a person would."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(GENEROUS_S)


class Replicas:
    """The six: the launcher's edge and kernels service, and two more of each.

    Each edge asks a kernels service of its own, so that a killed one is felt. The
    launcher's own are restarted by it, the others at once.
    """

    def __init__(self, perijove: RunningPerijove) -> None:
        self._perijove = perijove
        self._url = URL(perijove.url)
        self.urls = [self._url]
        self.targets = [perijove.target("kernels")]
        self._more: list[Replica] = []

    def start(self) -> None:
        """Start two more of each, and wait until they answer."""
        kernels = psutil.Process(self._perijove.pid("kernels")).environ()
        gateway = psutil.Process(self._perijove.pid("gateway_http")).environ()
        for number in (2, 3):
            path = self._perijove.runtime_dir / f"kernels-{number}.sock"
            port = free_port()
            self.targets.append(f"unix:{path}")
            self.urls.append(self._url.with_port(port))
            own = {"PERIJOVE_KERNELS_LISTEN": f"unix:{path}"}
            self._more.append(Replica("kernels", number, kernels | own))
            own = {
                "PERIJOVE_GATEWAY_HTTP_LISTEN_FD": "-1",
                "PERIJOVE_GATEWAY_HTTP_PORT": str(port),
                "PERIJOVE_GATEWAY_HTTP_KERNELS": f"unix:{path}",
            }
            self._more.append(Replica("gateway_http", number, gateway | own))
        for replica in self._more:
            replica.start()
        for url in self.urls:
            wait_for(lambda port=url.port: _listens(port))

    def kill_one(self, chance: random.Random) -> str:
        """Kill one of the six as hard as possible, let it come back, and return its name."""
        kind, number = chance.choice(("gateway_http", "kernels")), chance.randint(1, 3)
        if number == 1:
            # It may be just being restarted, after an earlier time.
            if pid := self._perijove.pid(kind):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            replica = next(r for r in self._more if (r.kind, r.number) == (kind, number))
            assert replica.process
            replica.process.kill()
            replica.process.wait()
            replica.start()
        return f"{kind} {number}"

    def stop(self) -> None:
        """End those that the launcher does not know."""
        for replica in self._more:
            replica.stop()


def _listens(port: int | None) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port or 0)) == 0
