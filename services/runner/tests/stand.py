"""A manager with all that is below it, and ways to look at its kernels."""

import asyncio
import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from jupyter_client import AsyncKernelClient
from perijove_runner.backends.layout import StateLayout
from perijove_runner.backends.local import LocalMachine
from perijove_runner.changes import ChangeFeed
from perijove_runner.manager import KernelManager
from perijove_runner.model import LaunchRequest
from perijove_runner.patience import Policy
from perijove_runner.relay import KernelRelay
from perijove_runner.snapshot import RelayLimits
from perijove_runner.warm.model import WarmPlan

from tests.running import wait_for

POLICY = Policy(polite_s=10.0)


def with_argument(wanted: str) -> list[psutil.Process]:
    """Return the processes with an argument: none of those that are just becoming what they are."""
    # The command line of a process that is just ending is None.
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if wanted in (process.info["cmdline"] or ())]


class Stand:
    """A manager with all that is below it, and ways to look at its kernels."""

    def __init__(
        self, state_dir: Path, environ: dict[str, str], capacity: int = 3, warm: str = ""
    ) -> None:
        self.state_dir = state_dir
        self.machine = LocalMachine(str(state_dir), environ, umask=0o022, warm=WarmPlan.parse(warm))
        self.feed = ChangeFeed()
        relay = partial(KernelRelay, limits=RelayLimits(end_grace_s=0.5))
        ports = self.machine.ports(relay)
        self.manager = KernelManager(ports, self.feed, capacity=capacity, policy=POLICY)

    async def launch(self, kernel_id: str = "a", **fields: Any) -> None:
        request = LaunchRequest(kernel_id, "python3", "", {}, {})
        await self.manager.launch(dataclasses.replace(request, **fields))

    async def close(self, *, keep: bool = False) -> None:
        await self.manager.close(keep=keep, polite_s=2.0)
        self.machine.close()
        self.machine.state.close()

    def directory(self) -> Path:
        (found,) = (self.state_dir / "k").iterdir()
        return found

    def process(self) -> psutil.Process:
        """Return the one kernel's process."""
        wanted = str(self.directory() / "connection.json")
        (found,) = wait_for(lambda: with_argument(wanted))
        assert isinstance(found, psutil.Process)
        return found

    async def run(self, code: str) -> str:
        """Run code in the one kernel, by a client of its own, and return what it prints."""
        return await self.run_in("a", code)

    async def run_in(self, kernel_id: str, code: str) -> str:
        """Run code in a kernel, by a client of its own, and return what it prints."""
        await self.manager.relay(kernel_id).ready(60)
        client = AsyncKernelClient()
        client.load_connection_file(
            str(StateLayout(str(self.state_dir)).connection_file(kernel_id))
        )
        client.start_channels()
        said = []
        try:
            await client.wait_for_ready(timeout=60)
            await client.execute_interactive(
                code,
                timeout=60,
                output_hook=lambda m: said.append(m["content"].get("text", m["msg_type"])),
            )
        finally:
            client.stop_channels()
        return "".join(text for text in said if text not in ("status", "execute_input"))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - processes set no event
                await asyncio.sleep(0.02)

    def view(self, kernel_id: str = "a") -> Any:
        found = self.manager.find(kernel_id)
        assert found
        return found
