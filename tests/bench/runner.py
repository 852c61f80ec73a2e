"""Runs the measures in rounds, the servers taking turns."""

import asyncio
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.bench import rest_measures, servers
from tests.bench.measure import Measure
from tests.bench.report import DIRECT, Result
from tests.bench.servers import HttpServer

LOG_CHARS = 3000


class Contestant:
    """A server that is measured; a fresh one takes its place once a measure failed on it."""

    def __init__(
        self, name: str, start: Callable[[Path], AbstractContextManager[HttpServer]], scratch: Path
    ) -> None:
        self.name = name
        self._start = start
        self._scratch = scratch
        self._stack = ExitStack()
        self._home = scratch
        self._starts = 0
        self._running: HttpServer | None = None

    def server(self) -> HttpServer:
        """Return the running server, started if there is none."""
        if self._running is None:
            self._starts += 1
            self._home = self._scratch / f"{self.name[0]}{self._starts}"
            self._running = self._stack.enter_context(self._start(self._home))
            rest_measures.prepare(self._running.root_dir)
        return self._running

    def stop(self) -> None:
        """End the server and what belongs to it."""
        self._running = None
        self._stack.close()

    def give_up(self) -> None:
        """Show what the server has last said, and end it."""
        log = self._home / servers.LOG_NAME
        _say(log.read_text(errors="replace")[-LOG_CHARS:] if log.exists() else "")
        self.stop()


def run(measures: Sequence[Measure], rounds: int) -> list[Result]:
    """Start everything, measure, stop everything.

    What fails is told in the results, with its details on standard error.
    """
    servers.install()
    with tempfile.TemporaryDirectory(prefix="pjb") as scratch, ExitStack() as stack:
        jupyter_path = Path(scratch, "jupyter")
        servers.write_kernelspecs(jupyter_path)
        os.environ["JUPYTER_PATH"] = str(jupyter_path)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(Path(scratch, "runtime"))
        contestants = [
            Contestant(name, lambda home, run=run: run(home, jupyter_path), Path(scratch))
            for name, run in (
                (servers.PERIJOVE, servers.perijove),
                (servers.JUPYTER_SERVER, servers.jupyter_server),
            )
        ]
        for contestant in contestants:
            stack.callback(contestant.stop)
            contestant.server()
        return [_measure(measure, contestants, rounds) for measure in measures]


def _measure(measure: Measure, contestants: Sequence[Contestant], rounds: int) -> Result:
    result = Result(measure, [], [], [], {})
    if measure.fresh:
        for contestant in contestants:
            contestant.stop()
    values = {servers.PERIJOVE: result.perijove, servers.JUPYTER_SERVER: result.jupyter_server}
    for number in range(min(rounds, measure.most_rounds)):
        for contestant in contestants[:: 1 if number % 2 == 0 else -1]:
            with _noting_failure(result, contestant.name, contestant.give_up) as goes_on:
                if goes_on:
                    value = asyncio.run(_value(measure, contestant.server()))
                    values[contestant.name].append(value)
                    _say(f"{measure.name}: {contestant.name} {value:.4g} {measure.unit}")
        if measure.direct:
            with _noting_failure(result, DIRECT, lambda: None) as goes_on:
                if goes_on:
                    result.direct.append(measure.direct())
                    _say(f"{measure.name}: direct {result.direct[-1]:.4g} {measure.unit}")
    return result


@contextmanager
def _noting_failure(result: Result, name: str, clean_up: Callable[[], None]) -> Iterator[bool]:
    """Have one failure cost one cell of the table; gives whether there was none yet."""
    try:
        yield name not in result.failures
    except Exception as error:  # noqa: BLE001 - whatever a server does, the others are measured
        _say(f"{result.measure.name}: {name} FAILED\n{traceback.format_exc()}")
        result.failures[name] = f"{type(error).__name__}: {error}".splitlines()[0]
        clean_up()


async def _value(measure: Measure, server: HttpServer) -> float:
    return await measure.over_http(server)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
