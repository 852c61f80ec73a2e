"""Bare ZeroMQ to the same kernels: what no server can beat."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import zmq
from jupyter_client import AsyncKernelManager, KernelManager
from jupyter_client.session import Session

from tests.bench import echo_kernel, messages
from tests.bench.kernel_measures import REPEATS
from tests.bench.servers import ECHO_KERNEL, PYTHON_KERNEL

WAIT_MS = 60_000
_HELLO_MS = 200


class DirectKernel:
    """A kernel's shell and iopub sockets."""

    def __init__(self, manager: KernelManager, context: zmq.Context) -> None:
        info = manager.get_connection_info(session=False)
        self._session = Session(key=info["key"], signature_scheme=info["signature_scheme"])
        address = f"{info['transport']}://{info['ip']}:"
        self._shell = context.socket(zmq.DEALER)
        self._iopub = context.socket(zmq.SUB)
        self._iopub.set(zmq.RCVHWM, 0)
        self._iopub.subscribe(b"")
        self._shell.connect(f"{address}{info['shell_port']}")
        self._iopub.connect(f"{address}{info['iopub_port']}")
        self._greet()

    def run(self, code: str, *, expect: int = 0) -> float:
        """Run code and read all that it publishes; returns the seconds until reply and idle."""
        start = time.perf_counter()
        message_id = self._send(*messages.execute(code))
        ended = seen = 0
        word = echo_kernel.ITEM.encode()
        poller = zmq.Poller()
        poller.register(self._shell, zmq.POLLIN)
        poller.register(self._iopub, zmq.POLLIN)
        while ended != 1 | 2:
            for found, _ in poller.poll(WAIT_MS):
                data = b"".join(found.recv_multipart())
                seen += data.count(word)
                ended |= messages.ends_request(data, message_id)
        if seen != expect:
            raise RuntimeError(f"{seen} of {expect} messages")
        return time.perf_counter() - start

    def _greet(self) -> None:
        """Ask until an answer is published too: the subscription has arrived."""
        while not self._iopub.poll(_HELLO_MS):
            self._send(*messages.kernel_info())
        while self._iopub.poll(_HELLO_MS):
            self._iopub.recv_multipart()
        while self._shell.poll(_HELLO_MS):
            self._shell.recv_multipart()

    def _send(self, header: dict[str, str], content: dict[str, object]) -> str:
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._shell.send_multipart(self._session.serialize(message))
        return header["msg_id"]


@contextmanager
def kernel(name: str) -> Iterator[DirectKernel]:
    """Run a kernel with nothing in between."""
    manager = KernelManager(kernel_name=name)
    manager.start_kernel()
    context = zmq.Context()
    try:
        yield DirectKernel(manager, context)
    finally:
        context.destroy(linger=0)
        manager.shutdown_kernel(now=True)


def start_ms(number: int) -> float:
    """Return the median time from starting a kernel to its first kernel_info_reply in ms."""
    return statistics.median([asyncio.run(_start_ms()) for _ in range(number)])


async def _start_ms() -> float:
    start = time.perf_counter()
    manager = AsyncKernelManager(kernel_name=PYTHON_KERNEL)
    await manager.start_kernel()
    client = manager.client()
    client.start_channels(iopub=False, stdin=False, hb=False, control=False)
    client.kernel_info()
    await client.get_shell_msg(timeout=WAIT_MS / 1000)
    seconds = time.perf_counter() - start
    client.stop_channels()
    await manager.shutdown_kernel(now=True)
    return seconds * 1000


def round_trip_ms(number: int) -> float:
    """Return the median time of an empty cell in ms."""
    with kernel(PYTHON_KERNEL) as python:
        times = sorted(python.run("pass") for _ in range(number))
    return times[number // 2] * 1000


def flood_rate(number: int) -> float:
    """Return messages a second when one cell publishes many."""
    with kernel(ECHO_KERNEL) as echo:
        echo.run("flood 100", expect=100)
        times = [echo.run(f"flood {number}", expect=number) for _ in range(REPEATS)]
    return number / statistics.median(times)
