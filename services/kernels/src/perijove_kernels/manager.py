"""The rules for kernels: where they go, and who is asked to do what with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import (
    NotFound,
    PermissionDenied,
    Unavailable,
)
from perijove_chassis.paging import page

from perijove_kernels.model import (
    RESERVED_LABEL,
    Kernel,
    Runner,
    buried,
)
from perijove_kernels.store import Holding, Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_chassis.watching import Position

    from perijove_kernels.last_known import LastKnown
    from perijove_kernels.model import Launch
    from perijove_kernels.naming import Naming
    from perijove_kernels.placing import Placing
    from perijove_kernels.store import KernelStore, Runners

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KernelPage:
    """Kernels of one page of a list."""

    kernels: list[Kernel]
    next_token: str
    incomplete: bool
    """Whether kernels may be missing, so that none may be taken for gone."""
    ended: frozenset[str] = frozenset()
    """Kernels that may, all the same."""
    position: Position | None = None
    """What was written up to here is in it; None if the registry cannot be reached."""


class KernelManager:
    """Starts, finds, changes and stops kernels, wherever they are."""

    def __init__(
        self,
        store: KernelStore,
        runners: Runners,
        last_known: LastKnown,
        placing: Placing,
        naming: Naming,
    ) -> None:
        self._store = store
        self._runners = runners
        self._placing = placing
        self._last_known = last_known
        self._naming = naming

    async def start(self, launch: Launch, *, trusted: bool) -> tuple[Kernel, bool]:
        """Start a kernel, unless one with its id runs.

        Returns:
            The kernel, and whether this call started it.

        Raises:
            NotFound, FailedPrecondition, ResourceExhausted: as `KernelStore.reserve`.
            Unavailable: if the registry, any runner, or the one that may already
                have the kernel cannot be reached. A repeated call with the same
                id starts no second kernel.
        """
        _require_own_labels(launch.labels, trusted=trusted)
        wanted = self._naming.of(launch.kernelspec_name)
        found = await self._placing.launch(replace(launch, kernelspec_name=wanted))
        if isinstance(found, Holding):
            return _reachable(found), False
        kernel, created = found
        log.info(
            "kernel started",
            kernel_id=kernel.kernel_id,
            runner_id=kernel.runner_id,
            kernelspec=kernel.kernelspec_name,
            created=created,
        )
        # Strictly: what nobody else knows of would be taken for gone.
        kernel = await self._store.record(kernel)
        self._last_known.put(kernel)
        return kernel, created

    async def get(self, kernel_id: str, *, show_ended: bool = False) -> Kernel:
        """Return a kernel; if asked to, also one that has ended a moment ago.

        Raises:
            NotFound: `NO_SUCH_KERNEL`; the message says how the kernel ended.
            Unavailable: if the registry cannot be reached and the kernel was not
                known before.
        """
        try:
            return self._last_known.shown(await self._find(kernel_id))
        except NotFound:
            ended = await self._ended(kernel_id) if show_ended else None
            if ended is None:
                raise
            return ended

    async def list(self, page_size: int, page_token: str) -> KernelPage:
        """Return kernels in order of their start.

        Raises:
            InvalidArgument: if there can be no such page.
            Unavailable: if the registry cannot be reached and was never read.
        """
        try:
            registry = await self._store.registry()
        except Unavailable:
            if not self._last_known.loaded:
                raise
            registry = Registry()
        else:
            self._last_known.remember(registry)
        kernels = [self._last_known.shown(holding) for holding in self._last_known.holdings()]
        shown, next_token = page(kernels, _start_order, page_size, page_token)
        return KernelPage(shown, next_token, registry.settling, registry.gone, registry.position)

    async def update(
        self,
        kernel_id: str,
        labels: Mapping[str, str] | None,
        environment: Mapping[str, str] | None,
        *,
        trusted: bool,
    ) -> Kernel:
        """Change what is not None, and return the kernel.

        Raises:
            NotFound: `NO_SUCH_KERNEL`.
            PermissionDenied: if a caller from outside sets a label of Perijove's own.
        """
        kernel = _reachable(await self._find(kernel_id))
        if labels is not None and not trusted:
            _require_own_labels(labels, trusted=trusted)
            reserved = {k: v for k, v in kernel.labels.items() if k.startswith(RESERVED_LABEL)}
            labels = {**labels, **reserved}
        try:
            changed = await self._runners.update(_runner_of(kernel), kernel_id, labels, environment)
        except NotFound:
            await self._forget(kernel)
            raise
        return await self._note(changed)

    async def interrupt(self, kernel_id: str) -> Kernel:
        """Interrupt a kernel and return what is known of it.

        Raises:
            NotFound: `NO_SUCH_KERNEL`.
        """
        kernel = _reachable(await self._find(kernel_id))
        try:
            await self._runners.interrupt(_runner_of(kernel), kernel_id)
        except NotFound:
            await self._forget(kernel)
            raise
        return kernel

    async def restart(self, kernel_id: str, requested_by: str) -> Kernel:
        """Replace a kernel's process and return the kernel once it answers.

        Raises:
            NotFound: `NO_SUCH_KERNEL`.
        """
        kernel = _reachable(await self._find(kernel_id))
        try:
            restarted = await self._runners.restart(_runner_of(kernel), kernel_id, requested_by)
        except NotFound:
            await self._forget(kernel)
            raise
        log.info("kernel restarted", kernel_id=kernel_id, epoch=restarted.epoch)
        return await self._note(restarted)

    async def shutdown(self, kernel_id: str, requested_by: str) -> Kernel:
        """Shut a kernel down and return it as it was; if its runner is lost, as soon as it returns.

        Raises:
            NotFound: `NO_SUCH_KERNEL`.
        """
        holding = await self._find(kernel_id)
        kernel = holding.kernel
        if holding.lost:
            await self._store.remove(kernel, kernel.revision, doomed=True)
            self._last_known.drop(kernel_id)
        else:
            try:
                runner = _runner_of(kernel)
                ended, revision = await self._runners.shutdown(runner, kernel_id, requested_by)
            except NotFound:
                ended, revision = None, kernel.revision  # it went by itself: all the same
            await self._forget(ended or kernel, max(revision, kernel.revision))
        log.info("kernel shut down", kernel_id=kernel_id, lost=holding.lost)
        return kernel

    async def _find(self, kernel_id: str) -> Holding:
        try:
            holding = await self._store.get(kernel_id)
        except Unavailable:
            # Running cells do not notice that the registry is away, nor should
            # whoever wants to interrupt one.
            if known := self._last_known.get(kernel_id):
                return known
            raise
        if holding is None and self._last_known.settling:
            self._last_known.remember(await self._store.registry())
            holding = self._last_known.get(kernel_id)
        if holding is None:
            raise await self._no_such_kernel(kernel_id)
        return holding

    async def _no_such_kernel(self, kernel_id: str) -> NotFound:
        ended = await self._ended(kernel_id)
        text = f"Kernel does not exist: {kernel_id}"
        if ended and ended.last_exit:
            text = f"{text}. {ended.last_exit.message}"
        return NotFound(text, reason="NO_SUCH_KERNEL")

    async def _ended(self, kernel_id: str) -> Kernel | None:
        try:
            kernel = await self._store.ended(kernel_id)
        except Unavailable:
            return None
        return kernel and buried(kernel)

    async def _note(self, kernel: Kernel) -> Kernel:
        """Write down what a runner replied. If that fails, its announcement will do."""
        try:
            known = await self._store.record(kernel)
        except Unavailable:
            log.warning("reply not recorded", kernel_id=kernel.kernel_id)
            known = kernel
        self._last_known.put(known)
        return known

    async def _forget(self, kernel: Kernel, revision: int | None = None) -> None:
        """Remove a kernel that its runner does not have any more."""
        self._last_known.drop(kernel.kernel_id)
        try:
            await self._store.remove(kernel, kernel.revision if revision is None else revision)
        except Unavailable:
            log.warning("end not recorded", kernel_id=kernel.kernel_id)


def _start_order(kernel: Kernel) -> str:
    return f"{kernel.create_time.isoformat(timespec='microseconds')} {kernel.kernel_id}"


def _reachable(holding: Holding) -> Kernel:
    if holding.lost:
        raise Unavailable(
            f"the runner of kernel {holding.kernel.kernel_id} is lost", reason="RUNNER_UNREACHABLE"
        )
    return holding.kernel


def _runner_of(kernel: Kernel) -> Runner:
    return Runner(kernel.runner_id, kernel.runner_address, capacity=0)


def _require_own_labels(labels: Mapping[str, str], *, trusted: bool) -> None:
    if not trusted and any(key.startswith(RESERVED_LABEL) for key in labels):
        raise PermissionDenied(
            f"labels that begin with {RESERVED_LABEL} are reserved", reason="NOT_ALLOWED"
        )
