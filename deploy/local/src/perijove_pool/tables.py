"""Runners and kernels as tables, and as values for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from perijove.kernels.v1 import kernels_pb2
from perijove.runners.v1 import runners_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def runner_values(status: runners_pb2.RunnerStatus) -> dict[str, Any]:
    """Return what is known of a runner."""
    runner = status.runner
    drain = None
    if runner.HasField("drain"):
        drain = {
            "reason": runner.drain.reason,
            "requested_by": runner.drain.requested_by,
            "since": _time(runner.drain.begin_time),
            "deadline": _time(runner.drain.deadline) if runner.drain.HasField("deadline") else None,
        }
    return {
        "id": runner.runner_id,
        "address": runner.address,
        "state": _name(runners_pb2.RunnerState.Name(status.state), "RUNNER_STATE_"),
        "kernels": status.kernel_count,
        "busy": status.busy_count,
        "reserved": status.reserved_count,
        "capacity": runner.capacity,
        "kernelspecs": list(status.kernelspec_names),
        "labels": dict(runner.labels),
        "silence_s": status.silence.ToTimedelta().total_seconds(),
        "drain": drain,
    }


def kernel_values(kernel: kernels_pb2.Kernel) -> dict[str, Any]:
    """Return what is known of a kernel."""
    lost = kernel.last_exit.cause == kernels_pb2.EXIT_CAUSE_RUNNER_LOST
    state = _name(kernels_pb2.ExecutionState.Name(kernel.execution_state), "EXECUTION_STATE_")
    return {
        "id": kernel.kernel_id,
        "kernelspec": kernel.kernelspec_name,
        "state": "lost" if state == "dead" and lost else state,
        "runner": kernel.runner_id,
        "owner": kernel.owner,
        "since": _time(kernel.create_time),
        "last_activity": _time(kernel.last_activity_time),
        "connections": kernel.connection_count,
        "labels": dict(kernel.labels),
    }


def runners_table(runners: Sequence[runners_pb2.RunnerStatus], waiting: int, now: datetime) -> str:
    """Return runners as lines, with a sum above."""
    values = [runner_values(status) for status in runners]
    usable = [one for one in values if one["state"] == "live"]
    held, room = sum(one["kernels"] for one in values), sum(one["capacity"] for one in usable)
    head = f"{len(values)} runners, {len(usable)} of them live; {held} kernels, room for {room}"
    head += f"; {waiting} wait" if waiting else ""
    columns = ("RUNNER", "STATE", "KERNELS", "LOAD", "BUSY", "WORD", "ADDRESS", "KERNELSPECS", "")
    return f"{head}\n\n{_table(columns, (_runner_row(one, now) for one in values))}"


def kernels_table(kernels: Sequence[kernels_pb2.Kernel], now: datetime) -> str:
    """Return kernels as lines."""
    columns = ("KERNEL", "KERNELSPEC", "STATE", "RUNNER", "OWNER", "SINCE", "ACTIVE")
    return _table(columns, (_kernel_row(kernel_values(kernel), now) for kernel in kernels))


def left(drain: runners_pb2.Drain, now: datetime) -> str:
    """Return what becomes of a runner that is drained."""
    if not drain.HasField("deadline"):
        return "it leaves when it is empty"
    seconds = (drain.deadline.ToDatetime(tzinfo=UTC) - now).total_seconds()
    return f"it leaves when it is empty, or in {_age(seconds)}"


def _runner_row(one: dict[str, Any], now: datetime) -> tuple[str, ...]:
    load = f"{100 * one['kernels'] // one['capacity']} %" if one["capacity"] else "-"
    notes = []
    if drain := one["drain"]:
        notes.append(drain["reason"])
        if drain["deadline"]:
            seconds = (datetime.fromisoformat(drain["deadline"]) - now).total_seconds()
            notes.append(f"{_age(seconds)} left")
    return (
        one["id"],
        one["state"],
        f"{one['kernels']}/{one['capacity']}",
        load,
        str(one["busy"]),
        _age(one["silence_s"]),
        one["address"],
        ",".join(one["kernelspecs"]),
        "; ".join(filter(None, notes)),
    )


def _kernel_row(one: dict[str, Any], now: datetime) -> tuple[str, ...]:
    ages = ((now - datetime.fromisoformat(one[key])).total_seconds() for key in _TIMES)
    return (
        one["id"],
        one["kernelspec"],
        one["state"],
        one["runner"],
        one["owner"] or "-",
        *map(_age, ages),
    )


_TIMES = ("since", "last_activity")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, *(tuple(map(_shown, row)) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    padded = (
        (cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )
    return "\n".join("  ".join(line).rstrip() for line in padded)


def _shown(text: str) -> str:
    """Return what others have named, without what a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _age(seconds: float) -> str:
    for unit, length in (("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _time(timestamp: Timestamp) -> str:
    return timestamp.ToDatetime(tzinfo=UTC).isoformat()


def _name(value: str, prefix: str) -> str:
    return value.removeprefix(prefix).lower()
