"""Runs a line of code in a new kernel over gRPC and prints what the kernel says.

Usage, with the target and the token that `perijove up` prints:

    PERIJOVE_KERNELS=unix:/... PERIJOVE_TOKEN=... python run_cell.py 'print(6 * 7)'
"""

import json
import os
import queue
import sys
import uuid

import grpc
from perijove.kernels.v1 import channels_pb2, channels_pb2_grpc, kernels_pb2, kernels_pb2_grpc

SESSION = uuid.uuid4().hex
TOKEN = (("authorization", f"Bearer {os.environ['PERIJOVE_TOKEN']}"),)


def execute_request(msg_id: str, code: str) -> channels_pb2.ConnectRequest:
    """Make an execute_request: four JSON frames of the Jupyter messaging protocol."""
    header = {
        "msg_id": msg_id,
        "msg_type": "execute_request",
        "session": SESSION,
        "username": "",
        "version": "5.3",
        "date": "2026-01-01T00:00:00Z",
    }
    content = {"code": code, "silent": False, "allow_stdin": False}
    message = channels_pb2.KernelMessage(
        channel=channels_pb2.CHANNEL_SHELL,
        frames=[json.dumps(frame).encode() for frame in (header, {}, {}, content)],
    )
    return channels_pb2.ConnectRequest(batch=channels_pb2.KernelMessageBatch(messages=[message]))


def run(grpc_channel: grpc.Channel, kernel_id: str, code: str) -> None:
    """Execute code in a kernel and print its text until the kernel is idle again."""
    msg_id = uuid.uuid4().hex
    requests: queue.SimpleQueue[channels_pb2.ConnectRequest] = queue.SimpleQueue()
    attach = channels_pb2.Attach(kernel_id=kernel_id, client_session_id=SESSION)
    requests.put(channels_pb2.ConnectRequest(attach=attach))
    stub = channels_pb2_grpc.ChannelsServiceStub(grpc_channel)
    for response in stub.Connect(iter(requests.get, None), metadata=TOKEN):
        if response.HasField("attached"):
            requests.put(execute_request(msg_id, code))
        for message in response.batch.messages:
            header, parent, _, content = (json.loads(frame) for frame in message.frames[:4])
            if header["msg_type"] == "stream":
                print(content["text"], end="")
            elif content.get("execution_state") == "idle" and parent.get("msg_id") == msg_id:
                return


def main() -> None:
    """Start a kernel, run the code in it, shut the kernel down."""
    with grpc.insecure_channel(os.environ["PERIJOVE_KERNELS"]) as grpc_channel:
        kernels = kernels_pb2_grpc.KernelsServiceStub(grpc_channel)
        started = kernels.StartKernel(
            kernels_pb2.StartKernelRequest(kernelspec_name="python3"), metadata=TOKEN, timeout=60
        )
        try:
            run(grpc_channel, started.kernel.kernel_id, sys.argv[1])
        finally:
            kernels.ShutdownKernel(
                kernels_pb2.ShutdownKernelRequest(kernel_id=started.kernel.kernel_id),
                metadata=TOKEN,
                timeout=60,
            )


if __name__ == "__main__":
    main()
