"""Between the values of terminals and the wire contract."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp
from perijove.terminals.v1 import terminals_pb2 as pb

from perijove_kernels.terminals.model import Launch, Terminal, parse_name

if TYPE_CHECKING:
    from datetime import datetime

    from perijove_kernels.model import Runner


def launch_from_proto(request: pb.CreateTerminalRequest) -> Launch:
    """Return what is asked for.

    Raises:
        InvalidArgument: if the name cannot be one.
    """
    size = (request.size.rows, request.size.columns) if request.HasField("size") else None
    return Launch(
        parse_name(request.name) if request.name else "",
        tuple(request.working_directories),
        tuple(request.command),
        dict(request.environment),
        size,
    )


def launch_to_proto(launch: Launch) -> pb.CreateTerminalRequest:
    """Return a request that asks for it."""
    rows, columns = launch.size or (0, 0)
    return pb.CreateTerminalRequest(
        name=launch.name,
        working_directories=launch.working_directories,
        command=launch.command,
        environment=launch.environment,
        size=pb.Size(rows=rows, columns=columns) if launch.size else None,
    )


def terminal_from_proto(message: pb.Terminal, runner: Runner) -> Terminal:
    """Return a terminal of a runner, wherever that says it is."""
    return Terminal(
        message.name,
        message.terminal_id,
        message.create_time.ToDatetime(tzinfo=UTC),
        message.last_activity_time.ToDatetime(tzinfo=UTC),
        message.connection_count,
        runner.runner_id,
        runner.address,
    )


def terminal_to_proto(terminal: Terminal) -> pb.Terminal:
    """Return a terminal as it goes over the wire."""
    return pb.Terminal(
        name=terminal.name,
        terminal_id=terminal.terminal_id,
        create_time=_timestamp(terminal.create_time),
        last_activity_time=_timestamp(terminal.last_activity_time),
        connection_count=terminal.connection_count,
        runner_id=terminal.runner_id,
        runner_address=terminal.runner_address,
    )


def _timestamp(time: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(time)
    return message
