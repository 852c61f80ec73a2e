"""Both lists are read at the same time: what changed between them misleads nobody."""

from __future__ import annotations

from datetime import UTC, datetime

from perijove_chassis.errors import NotFound
from perijove_sessions.backends.memory import MemorySessionStore
from perijove_sessions.model import Claim, Kernel, Session, labelled
from perijove_sessions.reconciling import Reconciler
from perijove_sessions.store import KernelList

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = Session("s1", "a.ipynb", None, "notebook", "k1", NOW)
KERNEL = Kernel("k1", labelled({}, SESSION), NOW)


class TableKernels:
    """Kernels in a table; the first look at it may have come before they changed."""

    def __init__(self, *kernels: Kernel, before: list[Kernel] | None = None) -> None:
        self.kernels = {kernel.kernel_id: kernel for kernel in kernels}
        self.looks = [kernels if before is None else before]

    async def list(self) -> KernelList:
        found = self.looks.pop() if self.looks else self.kernels.values()
        return KernelList({kernel.kernel_id: kernel for kernel in found})

    async def get(self, kernel_id: str) -> Kernel:
        if kernel_id not in self.kernels:
            raise NotFound("gone")
        return self.kernels[kernel_id]

    async def start(self, *_: object) -> tuple[Kernel, bool]:
        raise NotImplementedError

    async def update(self, *_: object) -> Kernel:
        raise NotImplementedError

    async def shutdown(self, kernel_id: str) -> None:
        del self.kernels[kernel_id]


async def store_with(*sessions: Session) -> MemorySessionStore:
    store = MemorySessionStore()
    for session in sessions:
        await store.commit(Claim(session, "python3", fresh=True))
    return store


async def opened(store: MemorySessionStore, kernels: TableKernels) -> list[str]:
    return [one.session.session_id for one in await Reconciler(store, kernels).opened()]


async def test_a_session_is_listed_with_its_kernel() -> None:
    assert await opened(await store_with(SESSION), TableKernels(KERNEL)) == ["s1"]


async def test_a_session_that_appears_between_the_looks_is_not_forgotten() -> None:
    store = await store_with(SESSION)
    assert await opened(store, TableKernels(KERNEL, before=[])) == ["s1"]
    assert await store.get("s1") == SESSION


async def test_a_session_that_is_deleted_between_the_looks_does_not_come_back() -> None:
    store = await store_with()
    assert await opened(store, TableKernels(before=[KERNEL])) == []
    assert await store.get("s1") is None


async def test_a_session_whose_kernel_is_gone_is_forgotten() -> None:
    store = await store_with(SESSION)
    assert await opened(store, TableKernels()) == []
    assert await store.get("s1") is None


async def test_a_session_that_only_its_kernel_remembers_is_put_back() -> None:
    store = await store_with()
    assert await opened(store, TableKernels(KERNEL)) == ["s1"]
    assert await store.get("s1") == SESSION


async def test_a_kernel_that_is_left_over_is_shut_down() -> None:
    store, kernels = MemorySessionStore(hold_s=-1.0), TableKernels(Kernel("k2", {}, NOW))
    await store.leave("k2")
    assert await opened(store, kernels) == []
    assert kernels.kernels == {}
