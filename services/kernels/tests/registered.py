"""What tests have runners say to a registry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from perijove_kernels.model import (
    Changes,
    Drain,
    ExecutionState,
    Hello,
    Kernel,
    Kernelspec,
    Runner,
)
from perijove_kernels.store import Limits

if TYPE_CHECKING:
    from perijove_kernels.store import KernelStore

LONG = Limits(lost_after_s=60.0, forget_after_s=600.0)
SHORT = Limits(lost_after_s=0.3, forget_after_s=600.0)
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
BIG = 1_800_000_000_000_000
"""A revision as runners give them: microseconds of the clock."""


def spec(name: str) -> Kernelspec:
    return Kernelspec(name, name.title(), "x", ("x",), {"A": "b"}, "signal", b"{}", ("l.png",), "5")


def runner(runner_id: str = "r1", capacity: int = 10) -> Runner:
    return Runner(runner_id, f"unix:/{runner_id}", capacity, {"zone": "a"})


def kernel(kernel_id: str, revision: int = 1, runner_id: str = "r1", **fields: Any) -> Kernel:
    made = Kernel(
        kernel_id=kernel_id,
        kernelspec_name="python3",
        execution_state=ExecutionState.STARTING,
        last_activity_time=NOW,
        connection_count=0,
        epoch=1,
        create_time=NOW,
        labels={"a": "ü"},
        runner_id=runner_id,
        revision=BIG + revision,
        runner_address=f"unix:/{runner_id}",
    )
    return replace(made, **fields)


def hello(
    *kernels: Kernel,
    revision: int = 0,
    by: Runner | None = None,
    specs: tuple[str, ...] = (),
    drain: Drain | None = None,
) -> Hello:
    names = specs or ("python3",)
    return Hello(by or runner(), tuple(map(spec, names)), kernels, BIG + revision, drain)


def changes(*kernels: Kernel, gone: tuple[str, ...] = (), revision: int = 0) -> Changes:
    return Changes(kernels, gone, BIG + revision)


async def known(store: KernelStore) -> dict[str, Kernel]:
    return {id_: holding.kernel for id_, holding in (await store.registry()).holdings.items()}
