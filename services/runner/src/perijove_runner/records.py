"""What is written down of a kernel when it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_runner.external.model import LABEL
from perijove_runner.model import KernelRecord

if TYPE_CHECKING:
    from perijove_runner.external.model import FoundKernel
    from perijove_runner.model import Kernelspec, LaunchRequest
    from perijove_runner.store import StateStore


def of_launch(
    request: LaunchRequest, spec: Kernelspec, state: StateStore, now: float
) -> KernelRecord:
    """Return the record of a kernel that is to be launched."""
    return KernelRecord(
        kernel_id=request.kernel_id,
        kernelspec_name=spec.name,
        argv=state.argv(request.kernel_id, spec),
        kernelspec_environment=spec.environment,
        environment=request.environment,
        interrupt_mode=spec.interrupt_mode,
        working_directory=request.working_directory,
        labels=request.labels,
        connection=state.connection(request.kernel_id, spec),
        create_time=now,
        epoch=1,
        launch_time=now,
        concurrent=spec.concurrent,
        owner=request.owner,
    )


def of_found(found: FoundKernel, kernel_id: str, now: float) -> KernelRecord:
    """Return the record of a kernel that others have started."""
    return KernelRecord(
        kernel_id=kernel_id,
        kernelspec_name=found.connection.kernel_name,
        argv=(),
        kernelspec_environment={},
        environment={},
        interrupt_mode="message",
        working_directory="",
        labels={LABEL: found.name},
        connection=found.connection,
        create_time=now,
        epoch=1,
        launch_time=now,
        external=found.name,
    )
