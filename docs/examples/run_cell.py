"""Runs code in a new kernel over gRPC and prints its output as it comes.

Usage, with the target and the token that `perijove up` prints:

    PERIJOVE_KERNELS=unix:/... PERIJOVE_TOKEN=... python run_cell.py 'print(6 * 7)'
"""

import os
import sys
import uuid

import grpc
from perijove.kernels.v1 import execution_pb2, execution_pb2_grpc, kernels_pb2, kernels_pb2_grpc

TOKEN = (("authorization", f"Bearer {os.environ['PERIJOVE_TOKEN']}"),)


def run(grpc_channel: grpc.Channel, kernel_id: str, code: str) -> int:
    """Run code in a kernel, print what it prints, and return an exit code.

    Called again with the same request id, after a broken connection say, this would
    not run the code twice, and print all the same.
    """
    execution = execution_pb2.Execution(kernel_id=kernel_id, request_id=uuid.uuid4().hex, code=code)
    requests = iter([execution_pb2.ExecuteRequest(execution=execution)])
    stub = execution_pb2_grpc.ExecutionServiceStub(grpc_channel)
    for response in stub.Execute(requests, metadata=TOKEN, timeout=600):
        match response.WhichOneof("payload"):
            case "stream":
                print(response.stream.text, end="", flush=True)
            case "error":
                print(*response.error.traceback, sep="\n", file=sys.stderr)
            case "finished":
                return 0 if response.finished.outcome == execution_pb2.OUTCOME_OK else 1
    return 1


def main() -> int:
    """Start a kernel, run the code in it, shut the kernel down."""
    with grpc.insecure_channel(os.environ["PERIJOVE_KERNELS"]) as grpc_channel:
        kernels = kernels_pb2_grpc.KernelsServiceStub(grpc_channel)
        started = kernels.StartKernel(
            kernels_pb2.StartKernelRequest(kernelspec_name="python3"), metadata=TOKEN, timeout=60
        )
        try:
            return run(grpc_channel, started.kernel.kernel_id, sys.argv[1])
        finally:
            kernels.ShutdownKernel(
                kernels_pb2.ShutdownKernelRequest(kernel_id=started.kernel.kernel_id),
                metadata=TOKEN,
                timeout=60,
            )


if __name__ == "__main__":
    sys.exit(main())
