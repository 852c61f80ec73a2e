"""Converts between messages and what is known of runners."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from perijove.runners.v1 import runners_pb2

if TYPE_CHECKING:
    from perijove_kernels.model import Drain, Runner
    from perijove_kernels.store import Member


def runner_to_proto(runner: Runner, drain: Drain | None) -> runners_pb2.Runner:
    """Return a runner as it goes over the wire."""
    message = runners_pb2.Runner(
        runner_id=runner.runner_id,
        address=runner.address,
        capacity=runner.capacity,
        labels=runner.labels,
    )
    if drain:
        message.drain.reason = drain.reason
        message.drain.requested_by = drain.requested_by
        message.drain.begin_time.FromDatetime(drain.begin_time)
        if drain.deadline:
            message.drain.deadline.FromDatetime(drain.deadline)
    return message


def member_to_proto(member: Member, busy: int) -> runners_pb2.RunnerStatus:
    """Return how a runner is doing."""
    state = runners_pb2.RUNNER_STATE_LIVE
    if member.drain:
        state = runners_pb2.RUNNER_STATE_DRAINING
    if member.lost:
        state = runners_pb2.RUNNER_STATE_LOST
    status = runners_pb2.RunnerStatus(
        runner=runner_to_proto(member.runner, member.drain),
        state=state,
        kernelspec_names=member.kernelspec_names,
        kernel_count=member.kernels,
        busy_count=busy,
        reserved_count=member.reserved,
    )
    status.silence.FromTimedelta(timedelta(seconds=max(member.silent_s, 0)))
    return status
