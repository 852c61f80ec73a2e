"""Between the values of a runner and the wire contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp
from perijove.kernels.v1 import kernels_pb2, kernelspecs_pb2
from perijove.runners.v1 import runners_pb2
from perijove_chassis.errors import InvalidArgument

from perijove_runner.model import (
    ExecutionState,
    ExitCause,
    LaunchRequest,
    parse_environment,
    parse_kernel_id,
    parse_kernelspec_name,
    parse_labels,
    parse_working_directory,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove.runners.v1 import runner_pb2

    from perijove_runner.draining import Drain
    from perijove_runner.model import Kernel, KernelExit, Kernelspec

_STATES = {
    ExecutionState.STARTING: kernels_pb2.EXECUTION_STATE_STARTING,
    ExecutionState.IDLE: kernels_pb2.EXECUTION_STATE_IDLE,
    ExecutionState.BUSY: kernels_pb2.EXECUTION_STATE_BUSY,
    ExecutionState.RESTARTING: kernels_pb2.EXECUTION_STATE_RESTARTING,
    ExecutionState.DEAD: kernels_pb2.EXECUTION_STATE_DEAD,
}
_CAUSES = {
    ExitCause.UNKNOWN: kernels_pb2.EXIT_CAUSE_UNSPECIFIED,
    ExitCause.EXITED: kernels_pb2.EXIT_CAUSE_EXITED,
    ExitCause.SIGNALED: kernels_pb2.EXIT_CAUSE_SIGNALED,
    ExitCause.OUT_OF_MEMORY: kernels_pb2.EXIT_CAUSE_OUT_OF_MEMORY,
    ExitCause.SHUTDOWN: kernels_pb2.EXIT_CAUSE_SHUTDOWN,
    ExitCause.RESTARTED: kernels_pb2.EXIT_CAUSE_RESTARTED,
    ExitCause.CULLED: kernels_pb2.EXIT_CAUSE_CULLED,
    ExitCause.RUNNER_STOPPED: kernels_pb2.EXIT_CAUSE_RUNNER_STOPPED,
    ExitCause.START_FAILED: kernels_pb2.EXIT_CAUSE_START_FAILED,
    ExitCause.RUNNER_DRAINED: kernels_pb2.EXIT_CAUSE_RUNNER_DRAINED,
}
_UPDATABLE = ("environment", "labels")


class Writer:
    """Writes kernels, as those of one runner."""

    def __init__(self, runner_id: str, address: str) -> None:
        self._runner_id = runner_id
        self._address = address

    def kernel(self, kernel: Kernel) -> kernels_pb2.Kernel:
        """Return a kernel as it goes over the wire."""
        return kernels_pb2.Kernel(
            kernel_id=kernel.kernel_id,
            kernelspec_name=kernel.kernelspec_name,
            execution_state=_STATES[kernel.execution_state],
            last_activity_time=_timestamp(kernel.last_activity_time),
            connection_count=kernel.connection_count,
            epoch=kernel.epoch,
            create_time=_timestamp(kernel.create_time),
            labels=kernel.labels,
            runner_id=self._runner_id,
            runner_address=self._address,
            last_exit=exit_to_proto(kernel.last_exit) if kernel.last_exit else None,
            revision=kernel.revision,
            owner=kernel.owner,
        )


def kernelspec_to_proto(spec: Kernelspec) -> kernelspecs_pb2.Kernelspec:
    """Return a kernelspec as it goes over the wire."""
    return kernelspecs_pb2.Kernelspec(
        name=spec.name,
        display_name=spec.display_name,
        language=spec.language,
        argv=spec.argv,
        environment=spec.environment,
        interrupt_mode=spec.interrupt_mode,
        metadata=spec.metadata,
        resources=spec.resources,
        protocol_version=spec.protocol_version,
    )


def launch_request(request: runner_pb2.LaunchKernelRequest) -> LaunchRequest:
    """Parse a request to launch a kernel.

    Raises:
        InvalidArgument: if a field cannot be meant.
        ResourceExhausted: if there is more than a kernel may have.
    """
    return LaunchRequest(
        kernel_id=parse_kernel_id(request.kernel_id),
        kernelspec_name=parse_kernelspec_name(request.kernelspec_name),
        working_directory=parse_working_directory(request.working_directory),
        environment=parse_environment(request.environment),
        labels=parse_labels(request.labels),
        owner=request.owner,
    )


def update_request(
    request: runner_pb2.UpdateKernelRequest,
) -> tuple[Mapping[str, str] | None, Mapping[str, str] | None]:
    """Parse which labels and environment to set; None for what is not to be changed.

    Raises:
        InvalidArgument: if the mask is empty or names another field.
        ResourceExhausted: if there is more than a kernel may have.
    """
    paths = set(request.update_mask.paths)
    if not paths or not paths.issubset(_UPDATABLE):
        raise InvalidArgument(f"update_mask must name some of: {', '.join(_UPDATABLE)}")
    labels = parse_labels(request.labels) if "labels" in paths else None
    environment = parse_environment(request.environment) if "environment" in paths else None
    return labels, environment


def drain_to_proto(drain: Drain) -> runners_pb2.Drain:
    """Return a drain as it goes over the wire."""
    return runners_pb2.Drain(
        reason=drain.reason,
        begin_time=_timestamp(drain.begin_time),
        deadline=None if drain.deadline is None else _timestamp(drain.deadline),
        requested_by=drain.requested_by,
    )


def exit_to_proto(last_exit: KernelExit) -> kernels_pb2.KernelExit:
    """Return how a process ended as it goes over the wire."""
    return kernels_pb2.KernelExit(
        cause=_CAUSES[last_exit.cause],
        exit_code=last_exit.exit_code,
        signal=last_exit.signal,
        message=last_exit.message,
        exit_time=_timestamp(last_exit.exit_time),
        output=last_exit.output,
        requested_by=last_exit.requested_by,
    )


def _timestamp(seconds: float) -> Timestamp:
    # In microseconds, which a float holds exactly; nanoseconds would invent digits.
    timestamp = Timestamp()
    timestamp.FromMicroseconds(round(seconds * 1_000_000))
    return timestamp
