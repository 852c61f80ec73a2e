"""Keeps the processes of the stack running, until told to stop."""

from __future__ import annotations

import math
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING

from perijove_local.process import Child, explain
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perijove_local.logs import Logs
    from perijove_local.process import ProcessSpec
    from perijove_local.terminal import Terminal

START_LIMIT_S = 60.0
_TRIES = 3
"""Times a process may end before it was ever ready; then the start is given up."""
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 10.0
_STABLE_S = 10.0
"""A process that lived this long is restarted without delay again."""
_KILLED_S = 2.0
"""Seconds that the end of a killed process may take."""
_PROBE_S, _SHOW_S, _IDLE_S = 0.02, 0.2, 1.0


class Signals:
    """Wakes the loop when a child ends or a stop is asked for."""

    def __init__(self, asking: int | None = None) -> None:
        """Begin to listen.

        Args:
            asking: Read end of a pipe in which a byte asks for the stop; None for no such.
        """
        self.stops = 0
        self._asking = asking
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # What nohup made the process ignore stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)

    def wait(self, seconds: float) -> None:
        """Return at the next signal, or after some seconds."""
        watched: list[socket.socket | int] = [self._wake]
        if self._asking is not None:
            watched.append(self._asking)
        ready = select.select(watched, [], [], seconds)[0]
        if self._wake in ready:
            self._wake.recv(4096)
        if self._asking in ready:
            # Asked often it is asked once: only the user may be impatient.
            self._asking = None
            self.stops += 1

    def _stop(self, *_: object) -> None:
        self.stops += 1


class Supervision:
    """Starts the processes in order, restarts what dies, stops them in order.

    One thread, no event loop: it sleeps until a child ends or a signal comes.
    """

    def __init__(
        self,
        specs: Iterable[ProcessSpec],
        logs: Logs,
        signals: Signals,
        terminal: Terminal,
        *,
        debug: bool,
    ) -> None:
        self.children = tuple(Child(spec, logs.path(spec.name)) for spec in specs)
        self._logs = logs
        self._signals = signals
        self._terminal = terminal
        self._debug = debug
        self._delays: dict[str, float] = {}
        self._due: dict[Child, float] = {}
        self._stopping = False

    @property
    def has_left(self) -> bool:
        """Whether all processes have left for good."""
        return all(child.spec.left and not child.pid for child in self.children) and not self._due

    def start(self, *, is_patient: bool = False) -> bool:
        """Start everything; return False if a stop was asked for meanwhile.

        Args:
            is_patient: Whether to go on waiting for what is not ready in time, after
                saying so: it may be another machine that it waits for.

        Raises:
            Failure: if a process does not become ready.
        """
        deadline = time.monotonic() + START_LIMIT_S
        for stage in sorted({child.spec.start_stage for child in self.children}):
            members = [child for child in self.children if child.spec.start_stage == stage]
            for child in members:
                child.start()
            while not all(child.ready for child in members):
                self._step(first=True)
                if self._signals.stops:
                    return False
                if time.monotonic() > deadline:
                    names = ", ".join(child.spec.name for child in members if not child.ready)
                    late = f"not ready in {START_LIMIT_S:.0f} s: {names}"
                    if not is_patient:
                        raise Failure(late)
                    self._terminal.event(f"{late}; logs are in {self._logs.directory}")
                    deadline = math.inf
        return True

    def run(self, on_change: Callable[[], None]) -> None:
        """Keep everything running until a stop is asked for, or all has left for good.

        Args:
            on_change: Called after a process was restarted.
        """
        while not self._signals.stops and not self.has_left:
            if self._step():
                on_change()

    def stop(self) -> None:
        """Stop everything in order; a second request to stop kills at once."""
        self._stopping = True
        self._due.clear()
        asked = self._signals.stops
        for stage in sorted({child.spec.stop_stage for child in self.children}):
            members = [child for child in self.children if child.spec.stop_stage == stage]
            for child in members:
                child.tell(signal.SIGTERM)
            grace_s = max(child.spec.grace_s for child in members)
            self._await_end(members, grace_s, lambda: self._signals.stops <= asked)
            killed = [child for child in members if child.pid]
            for child in killed:
                self._terminal.event(f"{_title(child)} has not stopped; it is killed")
                child.kill()
            self._await_end(killed, _KILLED_S, lambda: True)

    def _await_end(
        self, children: list[Child], within_s: float, is_patient: Callable[[], bool]
    ) -> None:
        """Wait until children have ended, for some seconds or as long as `is_patient`."""
        deadline = time.monotonic() + within_s
        while any(child.pid for child in children) and is_patient():
            if (left := deadline - time.monotonic()) <= 0:
                return
            self._signals.wait(left)
            self._reap()

    def _step(self, *, first: bool = False) -> bool:
        """Sleep until something is to do, and do it; return whether a process became ready."""
        self._signals.wait(self._pause())
        self._reap(first=first)
        for child, due in tuple(self._due.items()):
            if due <= time.monotonic():
                del self._due[child]
                self._restart(child)
        became = [child for child in self.children if child.check_ready()]
        if not first:
            for child in became:
                taken = time.monotonic() - child.started_at
                self._terminal.event(f"{_title(child)} runs again ({taken:.1f} s)")
        for child in self.children:
            for text in child.heralded():
                self._terminal.event(text)
        self._logs.bound()
        if self._debug:
            self._logs.show_new(self._terminal)
        return bool(became)

    def _restart(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            # The machine is out of something: that is no reason to end the others.
            self._terminal.event(f"{child.spec.name} cannot be started: {error.strerror}")
            self._due[child] = time.monotonic() + _LONGEST_DELAY_S

    def _pause(self) -> float:
        if any(child.pid and not child.ready for child in self.children):
            return _PROBE_S
        idle = _SHOW_S if self._debug else _IDLE_S
        now = time.monotonic()
        return max(0.0, min((idle, *(due - now for due in self._due.values()))))

    def _reap(self, *, first: bool = False) -> None:
        by_pid = {child.pid: child for child in self.children if child.pid}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            # Others are orphans that came to this process: they need no more.
            if child := by_pid.get(pid):
                self._ended(child, os.waitstatus_to_exitcode(status), first=first)

    def _ended(self, child: Child, code: int, *, first: bool) -> None:
        title, lived = _title(child), time.monotonic() - child.started_at
        was_ready = child.ready
        child.has_ended(code)
        if self._stopping:
            return
        if child.spec.left and child.spec.left.exists():
            return  # it says why
        name = child.spec.name
        delay = self._delays.get(name, 0.0)
        delay = _FIRST_DELAY_S if lived >= _STABLE_S else max(_FIRST_DELAY_S, delay)
        if first and not was_ready and delay >= _FIRST_DELAY_S * 2 ** (_TRIES - 1):
            raise Failure(
                f"{title} does not start: it {explain(code)}. The end of its log "
                f"({child.log}):\n{self._logs.tail(name)}"
            )
        self._delays[name] = min(delay * 2, _LONGEST_DELAY_S)
        self._due[child] = time.monotonic() + delay
        self._terminal.event(f"{title} {explain(code)}; it is restarted in {delay:.1f} s")


def _title(child: Child) -> str:
    return f"{child.spec.name} (pid {child.pid})" if child.pid else child.spec.name
