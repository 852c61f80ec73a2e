"""A program that runs code over `ExecutionService`, for tests."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from perijove.kernels.v1 import execution_pb2 as pb
from perijove.kernels.v1 import execution_pb2_grpc, kernels_pb2, kernels_pb2_grpc
from perijove_chassis.status import error_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_chassis.errors import DomainError

DEADLINE_S = 90.0
_OPTIONS = (("grpc.max_receive_message_length", 64 * 1024 * 1024),)


class Call:
    """One call of `Execute`."""

    def __init__(self, call: Any) -> None:
        self.raw = call
        self.accepted = pb.Accepted()
        self.seen: list[pb.ExecuteResponse] = []

    async def next(self) -> pb.ExecuteResponse | None:
        """Return what comes next; None at the end."""
        response = await asyncio.wait_for(self.raw.read(), DEADLINE_S)
        if response is grpc.aio.EOF:
            return None
        self.seen.append(response)
        if response.HasField("accepted"):
            self.accepted = response.accepted
        return response  # type: ignore[no-any-return]

    async def until(self, kind: str) -> pb.ExecuteResponse:
        """Return the next response of a kind."""
        while response := await self.next():
            if response.WhichOneof("payload") == kind:
                return response
        raise EOFError(kind)

    async def finished(self) -> pb.Finished:
        """Read to the end, and return what it says."""
        finished = (await self.until("finished")).finished
        assert await self.next() is None
        return finished

    async def answer(self, input_id: str, value: str) -> None:
        """Answer a question."""
        answer = pb.InputAnswer(input_id=input_id, value=value)
        await self.raw.write(pb.ExecuteRequest(input_answer=answer))

    async def interrupt(self) -> None:
        """Interrupt the run."""
        await self.raw.write(pb.ExecuteRequest(interrupt=pb.Interrupt()))

    async def failure(self) -> DomainError:
        """Read to the end, and return why the call failed."""
        try:
            while await self.next():
                pass
        except grpc.aio.AioRpcError as error:
            return error_of(error)
        raise AssertionError("it has not failed")

    def drop(self) -> None:
        """Go away without a word."""
        self.raw.cancel()

    @property
    def printed(self) -> str:
        """All text on stdout."""
        return "".join(
            response.stream.text
            for response in self.seen
            if response.stream.name == pb.STREAM_NAME_STDOUT
        )

    def kinds(self) -> list[str]:
        """Return the kinds of what has come, after `accepted`."""
        return [str(response.WhichOneof("payload")) for response in self.seen][1:]


class Program:
    """What a program needs of Perijove: one address and the token."""

    def __init__(self, grpc_channel: grpc.aio.Channel, token: str) -> None:
        self._metadata = (("authorization", f"Bearer {token}"),)
        self.kernels: Any = kernels_pb2_grpc.KernelsServiceStub(grpc_channel)
        self.stub: Any = execution_pb2_grpc.ExecutionServiceStub(grpc_channel)

    async def start_kernel(self, kernelspec_name: str = "python3") -> str:
        """Start a kernel and return its id."""
        started = await self.kernels.StartKernel(
            kernels_pb2.StartKernelRequest(kernelspec_name=kernelspec_name), **self._extras()
        )
        return str(started.kernel.kernel_id)

    async def restart(self, kernel_id: str) -> None:
        """Restart a kernel."""
        await self.kernels.RestartKernel(
            kernels_pb2.RestartKernelRequest(kernel_id=kernel_id), **self._extras()
        )

    async def shutdown(self, kernel_id: str) -> None:
        """Shut a kernel down."""
        await self.kernels.ShutdownKernel(
            kernels_pb2.ShutdownKernelRequest(kernel_id=kernel_id), **self._extras()
        )

    async def execute(
        self, kernel_id: str, code: str, *, timeout_s: float | None = DEADLINE_S, **fields: Any
    ) -> Call:
        """Call `Execute`."""
        fields.setdefault("request_id", uuid.uuid4().hex)
        raw = self.stub.Execute(**self._extras(timeout_s))
        asked = pb.Execution(kernel_id=kernel_id, code=code, **fields)
        await raw.write(pb.ExecuteRequest(execution=asked))
        return Call(raw)

    async def run(self, kernel_id: str, code: str, **fields: Any) -> tuple[Call, pb.Finished]:
        """Run code to its end."""
        call = await self.execute(kernel_id, code, **fields)
        return call, await call.finished()

    async def ask(self, method: str, request: Any, timeout_s: float = DEADLINE_S) -> Any:
        """Call a unary method."""
        return await getattr(self.stub, method)(request, **self._extras(timeout_s))

    def _extras(self, timeout_s: float | None = DEADLINE_S) -> dict[str, Any]:
        return {"metadata": self._metadata, "timeout": timeout_s, "wait_for_ready": True}


@asynccontextmanager
async def program_at(target: str, token: str) -> AsyncIterator[Program]:
    """Yield a program that knows a target and a token."""
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as grpc_channel:
        yield Program(grpc_channel, token)
