"""Terminals of runners behind gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perijove.terminals.v1 import terminals_pb2 as pb
from perijove.terminals.v1 import terminals_pb2_grpc as pb_grpc

from perijove_kernels.terminals import wire

if TYPE_CHECKING:
    from perijove_kernels.backends.runners import GrpcRunners, Line
    from perijove_kernels.model import Runner
    from perijove_kernels.terminals.model import Launch, Terminal


class GrpcTerminalRunners:
    """`TerminalRunners` over the connections that commands to runners take."""

    def __init__(self, runners: GrpcRunners) -> None:
        self._runners = runners

    async def create(self, runner: Runner, launch: Launch) -> tuple[Terminal, bool]:
        """Start a terminal and return it, and whether this call started it."""
        async with self._runners.line(runner) as line:
            reply = await _stub(line).CreateTerminal(wire.launch_to_proto(launch))
        return wire.terminal_from_proto(reply.terminal, runner), reply.created

    async def get(self, runner: Runner, name: str) -> Terminal:
        """Return a terminal."""
        async with self._runners.line(runner) as line:
            reply = await _stub(line).GetTerminal(pb.GetTerminalRequest(name=name))
        return wire.terminal_from_proto(reply.terminal, runner)

    async def all(self, runner: Runner) -> list[Terminal]:
        """Return all terminals of a runner, which has no more than fit a page."""
        async with self._runners.line(runner) as line:
            reply = await _stub(line).ListTerminals(pb.ListTerminalsRequest())
        return [wire.terminal_from_proto(terminal, runner) for terminal in reply.terminals]

    async def delete(self, runner: Runner, name: str) -> None:
        """End a terminal."""
        async with self._runners.line(runner) as line:
            await _stub(line).DeleteTerminal(pb.DeleteTerminalRequest(name=name))


def _stub(line: Line) -> Any:  # noqa: ANN401 - its generated type is of another channel
    return pb_grpc.TerminalsServiceStub(line.channel)  # type: ignore[call-overload]
