"""Between the values of terminals and the wire contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp
from perijove.terminals.v1 import terminals_pb2 as pb

from perijove_runner.model import parse_environment
from perijove_runner.terminals.clients import Gap, Output
from perijove_runner.terminals.model import (
    USUAL_SIZE,
    EndCause,
    Ended,
    Launch,
    Resume,
    Size,
    parse_command,
    parse_name,
    parse_working_directories,
)

if TYPE_CHECKING:
    from perijove_runner.terminals.model import Terminal

_CAUSES = {
    EndCause.UNKNOWN: pb.END_CAUSE_UNSPECIFIED,
    EndCause.EXITED: pb.END_CAUSE_EXITED,
    EndCause.SIGNALED: pb.END_CAUSE_SIGNALED,
    EndCause.DELETED: pb.END_CAUSE_DELETED,
    EndCause.CULLED: pb.END_CAUSE_CULLED,
    EndCause.RUNNER_STOPPED: pb.END_CAUSE_RUNNER_STOPPED,
}


class Writer:
    """Writes terminals, as those of one runner."""

    def __init__(self, runner_id: str, address: str) -> None:
        self._runner_id = runner_id
        self._address = address

    def terminal(self, terminal: Terminal) -> pb.Terminal:
        """Return a terminal as it goes over the wire."""
        return pb.Terminal(
            name=terminal.name,
            terminal_id=terminal.terminal_id,
            create_time=_timestamp(terminal.create_time),
            last_activity_time=_timestamp(terminal.last_activity_time),
            connection_count=terminal.connection_count,
            runner_id=self._runner_id,
            runner_address=self._address,
        )


def launch_from_proto(request: pb.CreateTerminalRequest) -> Launch:
    """Return what is asked for.

    Raises:
        InvalidArgument: if it cannot be.
        ResourceExhausted: if the environment exceeds a limit.
    """
    return Launch(
        parse_name(request.name) if request.name else "",
        parse_working_directories(tuple(request.working_directories)),
        parse_command(tuple(request.command)),
        parse_environment(dict(request.environment)),
        size_from_proto(request.size) if request.HasField("size") else USUAL_SIZE,
    )


def resume_from_proto(attach: pb.Attach) -> Resume | None:
    """Return where a client left off."""
    if not attach.HasField("resume"):
        return None
    return Resume(attach.resume.terminal_id, attach.resume.position)


def size_from_proto(size: pb.Size) -> Size:
    """Return a size.

    Raises:
        InvalidArgument: if it cannot be one.
    """
    return Size.parse(size.rows, size.columns)


def response(news: Output | Gap | Ended) -> pb.AttachResponse:
    """Return what to send a client."""
    match news:
        case Output():
            told = pb.AttachResponse(input_taken=news.input_taken)
            if news.data:
                told.output.position, told.output.data = news.position, news.data
            return told
        case Gap():
            gap = pb.Gap(first_position=news.first_position, next_position=news.next_position)
            return pb.AttachResponse(gap=gap)
        case Ended():
            return pb.AttachResponse(ended=_ended(news))


def _ended(ended: Ended) -> pb.Ended:
    return pb.Ended(
        cause=_CAUSES[ended.cause],
        message=ended.message,
        exit_code=ended.exit_code,
        signal=ended.signal,
    )


def _timestamp(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1e6) * 1000)
