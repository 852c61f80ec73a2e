"""Between the messages of the wire contract and the model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perijove.kernels.v1 import kernels_pb2, kernelspecs_pb2
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.watching import Position

from perijove_kernels.model import (
    Changes,
    Drain,
    ExecutionState,
    ExitCause,
    Hello,
    Kernel,
    KernelExit,
    Kernelspec,
    Runner,
    parse_kernel_id,
    parse_runner_id,
)

if TYPE_CHECKING:
    from google.protobuf.field_mask_pb2 import FieldMask
    from google.protobuf.timestamp_pb2 import Timestamp
    from perijove.runners.v1 import runners_pb2
    from perijove_chassis.watching import Update

_STATES = {
    kernels_pb2.EXECUTION_STATE_UNSPECIFIED: ExecutionState.UNKNOWN,
    kernels_pb2.EXECUTION_STATE_STARTING: ExecutionState.STARTING,
    kernels_pb2.EXECUTION_STATE_IDLE: ExecutionState.IDLE,
    kernels_pb2.EXECUTION_STATE_BUSY: ExecutionState.BUSY,
    kernels_pb2.EXECUTION_STATE_RESTARTING: ExecutionState.RESTARTING,
    kernels_pb2.EXECUTION_STATE_DEAD: ExecutionState.DEAD,
}
_STATES_ON_WIRE = {state: number for number, state in _STATES.items()}
_CAUSES = {
    kernels_pb2.EXIT_CAUSE_UNSPECIFIED: ExitCause.UNKNOWN,
    kernels_pb2.EXIT_CAUSE_EXITED: ExitCause.EXITED,
    kernels_pb2.EXIT_CAUSE_SIGNALED: ExitCause.SIGNALED,
    kernels_pb2.EXIT_CAUSE_OUT_OF_MEMORY: ExitCause.OUT_OF_MEMORY,
    kernels_pb2.EXIT_CAUSE_SHUTDOWN: ExitCause.SHUTDOWN,
    kernels_pb2.EXIT_CAUSE_RESTARTED: ExitCause.RESTARTED,
    kernels_pb2.EXIT_CAUSE_CULLED: ExitCause.CULLED,
    kernels_pb2.EXIT_CAUSE_RUNNER_LOST: ExitCause.RUNNER_LOST,
    kernels_pb2.EXIT_CAUSE_RUNNER_STOPPED: ExitCause.RUNNER_STOPPED,
    kernels_pb2.EXIT_CAUSE_START_FAILED: ExitCause.START_FAILED,
    kernels_pb2.EXIT_CAUSE_RUNNER_DRAINED: ExitCause.RUNNER_DRAINED,
}
_CAUSES_ON_WIRE = {cause: number for number, cause in _CAUSES.items()}


def kernel_to_proto(kernel: Kernel) -> kernels_pb2.Kernel:
    """Return a kernel as clients see it."""
    message = kernels_pb2.Kernel(
        kernel_id=kernel.kernel_id,
        kernelspec_name=kernel.kernelspec_name,
        execution_state=_STATES_ON_WIRE[kernel.execution_state],
        connection_count=kernel.connection_count,
        epoch=kernel.epoch,
        labels=kernel.labels,
        runner_id=kernel.runner_id,
        runner_address=kernel.runner_address,
        revision=kernel.revision,
        owner=kernel.owner,
    )
    message.last_activity_time.FromDatetime(kernel.last_activity_time)
    message.create_time.FromDatetime(kernel.create_time)
    if kernel.last_exit:
        message.last_exit.CopyFrom(_exit_to_proto(kernel.last_exit))
    return message


def kernel_from_proto(message: kernels_pb2.Kernel, runner: Runner) -> Kernel:
    """Return a kernel that a runner describes; only its own word on where it is counts."""
    return Kernel(
        kernel_id=parse_kernel_id(message.kernel_id),
        kernelspec_name=message.kernelspec_name,
        execution_state=_STATES.get(message.execution_state, ExecutionState.UNKNOWN),
        last_activity_time=_time(message.last_activity_time),
        connection_count=message.connection_count,
        epoch=message.epoch,
        create_time=_time(message.create_time),
        labels=dict(message.labels),
        runner_id=runner.runner_id,
        revision=message.revision,
        last_exit=_exit_from_proto(message.last_exit) if message.HasField("last_exit") else None,
        owner=message.owner,
        runner_address=runner.address,
    )


def position_to_proto(position: Position | None) -> kernels_pb2.FeedPosition | None:
    """Return a place in the feed, if there is one."""
    if position is None:
        return None
    return kernels_pb2.FeedPosition(feed_id=position.feed_id, number=position.number)


def position_from_proto(request: kernels_pb2.WatchKernelsRequest) -> Position | None:
    """Return where a watcher left off; None if it begins."""
    if not request.HasField("after"):
        return None
    return Position(request.after.feed_id, request.after.number)


def update_to_proto(update: Update[Kernel]) -> kernels_pb2.WatchKernelsResponse:
    """Return what a watcher is sent."""
    return kernels_pb2.WatchKernelsResponse(
        resync=update.resync,
        kernels=[kernel_to_proto(kernel) for kernel in update.items],
        ended_kernel_ids=update.gone,
        synced=update.synced,
        position=position_to_proto(update.position) if update.synced else None,
        incomplete=update.synced and update.incomplete,
    )


def kernelspec_to_proto(spec: Kernelspec) -> kernelspecs_pb2.Kernelspec:
    """Return a kernelspec as clients see it."""
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


def kernelspec_from_proto(message: kernelspecs_pb2.Kernelspec) -> Kernelspec:
    """Return a kernelspec that a runner offers."""
    return Kernelspec(
        name=message.name,
        display_name=message.display_name,
        language=message.language,
        argv=tuple(message.argv),
        environment=dict(message.environment),
        interrupt_mode=message.interrupt_mode,
        metadata=message.metadata,
        resources=tuple(message.resources),
        protocol_version=message.protocol_version,
    )


def hello_from_proto(message: runners_pb2.Hello, scheme: str = "") -> Hello:
    """Return the state a runner announces, at an address that begins with `scheme`.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    described = message.runner
    if not described.address.removeprefix(scheme) or not described.address.startswith(scheme):
        raise InvalidArgument(f"a runner needs an address such as {scheme}host:port")
    runner = Runner(
        parse_runner_id(described.runner_id),
        described.address,
        described.capacity,
        dict(described.labels),
    )
    return Hello(
        runner,
        tuple(kernelspec_from_proto(spec) for spec in message.kernelspecs),
        tuple(kernel_from_proto(kernel, runner) for kernel in message.kernels),
        message.revision,
        drain_from_proto(described.drain) if described.HasField("drain") else None,
    )


def changes_from_proto(message: runners_pb2.AnnounceRequest, runner: Runner) -> Changes:
    """Return what a runner says has changed.

    Raises:
        InvalidArgument: if it cannot be read as that.
    """
    kind = message.WhichOneof("payload")
    if kind == "heartbeat":
        return Changes()
    if kind == "kernels_changed":
        changed = message.kernels_changed
        return Changes(
            kernels=tuple(kernel_from_proto(kernel, runner) for kernel in changed.kernels),
            gone=tuple(parse_kernel_id(kernel_id) for kernel_id in changed.gone_kernel_ids),
            revision=changed.revision,
        )
    if kind == "kernelspecs_changed":
        specs = message.kernelspecs_changed.kernelspecs
        return Changes(kernelspecs=tuple(kernelspec_from_proto(spec) for spec in specs))
    if kind == "runner_changed":
        described = message.runner_changed.runner
        drain = drain_from_proto(described.drain) if described.HasField("drain") else None
        return Changes(drain=drain, drain_changed=True)
    if kind == "goodbye":
        return Changes(leaves=True)
    raise InvalidArgument("after hello, an announcement says what has changed")


def drain_from_proto(message: runners_pb2.Drain) -> Drain:
    """Return a drain as a runner keeps it."""
    return Drain(
        message.reason,
        _time(message.begin_time),
        _time(message.deadline) if message.HasField("deadline") else None,
        message.requested_by,
    )


def fields(mask: FieldMask, known: frozenset[str]) -> frozenset[str]:
    """Return the fields a mask names.

    Raises:
        InvalidArgument: if it names none, or another than the known ones.
    """
    named = frozenset(mask.paths)
    if not named or not named <= known:
        raise InvalidArgument(f"update_mask must name some of {', '.join(sorted(known))}")
    return named


def _exit_to_proto(ended: KernelExit) -> kernels_pb2.KernelExit:
    message = kernels_pb2.KernelExit(
        cause=_CAUSES_ON_WIRE[ended.cause],
        exit_code=ended.exit_code,
        signal=ended.signal,
        message=ended.message,
        output=ended.output,
        requested_by=ended.requested_by,
    )
    if ended.exit_time:
        message.exit_time.FromDatetime(ended.exit_time)
    return message


def _exit_from_proto(message: kernels_pb2.KernelExit) -> KernelExit:
    return KernelExit(
        cause=_CAUSES.get(message.cause, ExitCause.UNKNOWN),
        message=message.message,
        exit_time=_time(message.exit_time) if message.HasField("exit_time") else None,
        exit_code=message.exit_code if message.HasField("exit_code") else None,
        signal=message.signal if message.HasField("signal") else None,
        output=message.output,
        requested_by=message.requested_by,
    )


def _time(message: Timestamp) -> datetime:
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (OverflowError, ValueError) as error:
        raise InvalidArgument("a time is out of range") from error
