"""The registry as those who watch it are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_chassis.watching import Delta, Snapshot

from perijove_kernels.last_known import LastKnown

if TYPE_CHECKING:
    from perijove_chassis.watching import Position

    from perijove_kernels.model import Kernel
    from perijove_kernels.store import KernelStore, Registry


class ShownKernels:
    """The source of what is watched: kernels as `ListKernels` shows them."""

    def __init__(self, store: KernelStore) -> None:
        self._store = store

    async def snapshot(self) -> Snapshot[Kernel]:
        """Return all kernels."""
        return shown(await self._store.registry())

    async def changes(self, since: Position) -> Delta[Kernel] | None:
        """Return the kernels that have changed, or None if that is not known any more."""
        delta = await self._store.changes(since)
        if delta is None:
            return None
        kernels = {id_: LastKnown.shown(holding) for id_, holding in delta.items.items()}
        return Delta(kernels, delta.gone, delta.position)

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        await self._store.arrival(since, within_s)


def shown(registry: Registry) -> Snapshot[Kernel]:
    """Return the registry as it is shown."""
    kernels = {id_: LastKnown.shown(holding) for id_, holding in registry.holdings.items()}
    return Snapshot(kernels, registry.position, registry.settling, registry.gone)
