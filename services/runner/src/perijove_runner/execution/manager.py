"""What programs ask kernels to do: to run code, and to tell about it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from perijove_chassis.errors import FailedPrecondition

from perijove_runner.execution.following import Following
from perijove_runner.execution.runs import KernelRuns

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator

    from perijove_runner.execution.model import Execution, Placed, Wanted
    from perijove_runner.execution.run import Run
    from perijove_runner.execution.store import Kernels, Reading

ASK_S: Final = 60.0
"""Longest time a kernel is given to answer."""


class Attachment:
    """One call's part in a run."""

    def __init__(
        self, runs: KernelRuns, run: Run, reading: Reading, wanted: Wanted, *, created: bool
    ) -> None:
        self.created = created
        self.request_id = run.record.request_id
        self.epoch = run.record.epoch
        self._runs = runs
        self._run = run
        self._reading = reading
        self._following = Following(run, reading, wanted)

    @property
    def failed(self) -> asyncio.Future[None]:
        """Fails when the outputs must end, whatever is left of them."""
        return self._reading.failed

    def outputs(self) -> AsyncGenerator[Placed]:
        """Yield outputs as they come, to the end of the run."""
        return self._following.outputs()

    def answer(self, input_id: str, value: str) -> None:
        """Answer a question; one that does not wait any more is left alone."""
        self._runs.answer(self._run, input_id, value)

    def interrupt(self) -> None:
        """Interrupt the run, as soon as the kernel has begun with it."""
        self._run.interrupt()

    def close(self) -> None:
        """Leave; the run goes on."""
        self._reading.close()


class ExecutionManager:
    """The runs of all kernels here, and other questions to them."""

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels
        self._runs: dict[str, KernelRuns] = {}
        # What an earlier runner has begun is watched from here on.
        for kernel_id in kernels.ids():
            self._of(kernel_id)

    async def execute(
        self, execution: Execution, wanted: Wanted, deadline_s: float | None
    ) -> Attachment:
        """Attach a call to the run it asks for, which is begun if it is not known.

        Args:
            execution: What to run.
            wanted: What of it to send.
            deadline_s: Seconds after which it is to be interrupted, if the call has a
                deadline.

        Raises:
            NotFound: with reason `NO_SUCH_KERNEL`.
            AlreadyExists: with reason `ID_IN_USE` if the id is that of another execution.
            DeadlineExceeded: if the kernel does not answer in time.
            ResourceExhausted: if too many runs are under way, or it cannot be written down.
            Unavailable: if the kernel is not connected for a while.
        """
        runs = self._of(execution.kernel_id)
        run, created = await runs.begin(execution, deadline_s)
        return Attachment(runs, run, await runs.follow(run), wanted, created=created)

    async def ask(
        self,
        kernel_id: str,
        kind: str,
        content: dict[str, object],
        deadline_s: float | None,
        *,
        subshell_id: str = "",
        channel: str = "shell",
    ) -> dict[str, Any]:
        """Ask a kernel and return the content of its reply.

        Args:
            kernel_id: Which kernel.
            kind: What is asked for, for example `complete`.
            content: The content of the request.
            deadline_s: Seconds in which the answer is of use; a minute if None.
            subshell_id: Whom to ask; the main shell if empty.
            channel: Where: `shell`, or `control`, which does not wait behind it.

        Raises:
            NotFound: with reason `NO_SUCH_KERNEL`.
            DeadlineExceeded: if the kernel does not answer in time.
            FailedPrecondition: if it says that it cannot.
            Unavailable: if it is not connected, or ends meanwhile.
        """
        limit = ASK_S if deadline_s is None else min(deadline_s, ASK_S)
        began = time.monotonic()
        port = self._kernels.find(kernel_id)
        await port.ready(limit)
        left = max(0.0, limit - (time.monotonic() - began))
        reply = await port.ask(
            channel, f"{kind}_request", msgspec.json.encode(content), left, subshell_id
        )
        return answered(reply)

    async def subshells(
        self, kernel_id: str, kind: str, content: dict[str, object], deadline_s: float | None
    ) -> dict[str, Any]:
        """Ask a kernel for something about its subshells, and return the content of its reply.

        Raises:
            FailedPrecondition: if it has none; else as `ask`.
        """
        ask = partial(self.ask, kernel_id, deadline_s=deadline_s, channel="control")
        # A kernel without subshells would not even answer.
        info = await ask("kernel_info", {})
        if "kernel subshells" not in (info.get("supported_features") or ()):
            raise FailedPrecondition("the kernel has no subshells")
        return await ask(kind, content)

    def _of(self, kernel_id: str) -> KernelRuns:
        port = self._kernels.find(kernel_id)
        runs = self._runs.get(kernel_id)
        if runs is None or runs.port is not port:
            there = set(self._kernels.ids())
            self._runs = {known: self._runs[known] for known in self._runs if known in there}
            runs = self._runs[kernel_id] = KernelRuns(port, self._kernels.notes(kernel_id))
        return runs


def answered(reply: bytes) -> dict[str, Any]:
    """Return what a reply says.

    Raises:
        FailedPrecondition: if it says that the kernel cannot do what it was asked.
    """
    found = msgspec.json.decode(reply)
    if not isinstance(found, dict):
        raise FailedPrecondition("the kernel's answer is no answer")
    if found.get("status") in ("error", "aborted"):
        said = str(found.get("evalue") or "the kernel could not answer")
        raise FailedPrecondition(said[:1000])
    return found
