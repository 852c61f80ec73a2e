"""Bare ZeroMQ to the same kernels: what no server can beat."""

import asyncio
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import zmq
from jupyter_client import AsyncKernelManager, KernelManager
from jupyter_client.session import Session

from tests.bench import echo_kernel, messages
from tests.bench.kernel_measures import REPEATS, WARM_UP
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
        self._asked = ""
        self._ended = 0
        self._greet()

    def run(self, code: str, *, expect: int = 0) -> float:
        """Run code and read all that it publishes; returns the seconds until reply and idle."""
        start = time.perf_counter()
        seen = self._read_to_end(self._send(*messages.execute(code)))
        if seen != expect:
            raise RuntimeError(f"{seen} of {expect} messages")
        return time.perf_counter() - start

    def begin(self) -> None:
        """Send an empty cell; `ends` tells of its end."""
        self._ended = 0
        self._asked = self._send(*messages.execute("pass"))

    def ends(self, socket: zmq.Socket) -> bool:
        """Read one message; returns whether the cell that was begun has ended with it."""
        data = b"".join(socket.recv_multipart())
        self._ended |= messages.ends_request(data, self._asked)
        return self._ended == 1 | 2

    def sockets(self) -> tuple[zmq.Socket, zmq.Socket]:
        """Return both, for a poller."""
        return self._shell, self._iopub

    def _read_to_end(self, message_id: str) -> int:
        """Read until reply and idle of a request; returns how many messages of a flood came."""
        ended = seen = 0
        word = echo_kernel.ITEM.encode()
        poller = _polling(self.sockets())
        while ended != 1 | 2:
            for found, _ in poller.poll(WAIT_MS):
                data = b"".join(found.recv_multipart())
                seen += data.count(word)
                ended |= messages.ends_request(data, message_id)
        return seen

    def _greet(self) -> None:
        """Ask until an answer is published too: the subscription has arrived."""
        while not self._iopub.poll(_HELLO_MS):
            self._send(*messages.kernel_info())
        self._read_to_end(self._send(*messages.kernel_info()))

    def _send(self, header: dict[str, str], content: dict[str, object]) -> str:
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._shell.send_multipart(self._session.serialize(message))
        return header["msg_id"]


@contextmanager
def kernels(name: str, number: int) -> Iterator[list[DirectKernel]]:
    """Run kernels with nothing in between."""
    with ExitStack() as stack:
        managers = [KernelManager(kernel_name=name) for _ in range(number)]
        for manager in managers:
            manager.start_kernel()
            stack.callback(manager.shutdown_kernel, now=True)
        context = zmq.Context()
        stack.callback(context.destroy, linger=0)
        yield [DirectKernel(manager, context) for manager in managers]


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
    with kernels(PYTHON_KERNEL, 1) as (python,):
        times = [python.run("pass") for _ in range(WARM_UP + number)][WARM_UP:]
    return statistics.median(times) * 1000


def flood_rate(number: int, command: str = "flood") -> float:
    """Return messages a second when one cell publishes many."""
    with kernels(ECHO_KERNEL, 1) as (echo,):
        echo.run("flood 10", expect=10)
        times = [echo.run(f"{command} {number}", expect=number) for _ in range(REPEATS)]
    return number / statistics.median(times)


def execute_rate(number: int, seconds: float) -> float:
    """Return cells a second of kernels that work at the same time."""
    with kernels(ECHO_KERNEL, number) as echoes:
        by_socket = {socket: echo for echo in echoes for socket in echo.sockets()}
        poller = _polling(by_socket)
        done = 0
        start = time.perf_counter()
        for echo in echoes:
            echo.begin()
        while time.perf_counter() - start < seconds:
            for socket, _ in poller.poll(WAIT_MS):
                if by_socket[socket].ends(socket):
                    done += 1
                    by_socket[socket].begin()
        return done / (time.perf_counter() - start)


def _polling(sockets: Iterable[zmq.Socket]) -> zmq.Poller:
    poller = zmq.Poller()
    for socket in sockets:
        poller.register(socket, zmq.POLLIN)
    return poller
