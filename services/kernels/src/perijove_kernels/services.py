"""The rows of this process's services: what is served, by whom, to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove.kernels.v1 import kernels_pb2_grpc, kernelspecs_pb2_grpc
from perijove.runners.v1 import runners_pb2_grpc
from perijove_chassis.credentials import PrincipalKind
from perijove_chassis.permissions import WRITE, any_of, to
from perijove_chassis.server import Service

from perijove_kernels.gate import Gate
from perijove_kernels.servicer import KernelspecsServicer, KernelsServicer, RunnersServicer

if TYPE_CHECKING:
    from perijove_chassis.watching import Watching

    from perijove_kernels.announcements import RunnerManager
    from perijove_kernels.kernelspecs import KernelspecManager
    from perijove_kernels.manager import KernelManager
    from perijove_kernels.model import Kernel
    from perijove_kernels.pool import PoolManager

_CLIENTS = frozenset({PrincipalKind.SERVICE, PrincipalKind.USER})
_RUNNERS = frozenset({PrincipalKind.RUNNER})
_SEEN = any_of("kernels", "sessions")
_CHANGED = to(WRITE, "kernels", "sessions")


def kernels(manager: KernelManager, watching: Watching[Kernel]) -> Service:
    """Return the row of `KernelsService`: for the other services and for users."""
    servicer = KernelsServicer(manager, watching)
    return Service(
        "perijove.kernels.v1.KernelsService",
        lambda server: kernels_pb2_grpc.add_KernelsServiceServicer_to_server(servicer, server),
        _CLIENTS,
        permissions=to(WRITE, "kernels"),
        permissions_by_method={
            # Whoever may have sessions has kernels with them.
            **dict.fromkeys(("GetKernel", "ListKernels", "WatchKernels"), _SEEN),
            **dict.fromkeys(("StartKernel", "UpdateKernel", "ShutdownKernel"), _CHANGED),
        },
    )


def kernelspecs(manager: KernelspecManager) -> Service:
    """Return the row of `KernelspecsService`: for the other services and for users."""
    servicer = KernelspecsServicer(manager)
    return Service(
        "perijove.kernels.v1.KernelspecsService",
        lambda server: kernelspecs_pb2_grpc.add_KernelspecsServiceServicer_to_server(
            servicer, server
        ),
        _CLIENTS,
        permissions=any_of("kernelspecs"),
    )


def runners(manager: RunnerManager, pool: PoolManager, gate: Gate | None = None) -> Service:
    """Return the row of `RunnersService`: runners announce, and others look after them.

    Args:
        manager: Follows runners.
        pool: Looks after them.
        gate: What is asked of those that announce themselves; nothing if None.
    """
    servicer = RunnersServicer(manager, pool, gate or Gate())
    return Service(
        "perijove.runners.v1.RunnersService",
        lambda server: runners_pb2_grpc.add_RunnersServiceServicer_to_server(servicer, server),
        _CLIENTS,
        {"Announce": _RUNNERS},
        permissions=to(WRITE, "server"),
        permissions_by_method={"ListRunners": any_of("server")},
    )
