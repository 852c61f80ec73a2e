"""Runs the measures in rounds, the servers taking turns."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench import rest_measures, servers
from tests.bench.measures import Measure
from tests.bench.report import Result
from tests.bench.servers import HttpServer


def run(measures: Sequence[Measure], rounds: int) -> list[Result]:
    """Start everything, measure, stop everything."""
    servers.install()
    with tempfile.TemporaryDirectory(prefix="pjb") as scratch, ExitStack() as stack:
        jupyter_path = Path(scratch, "jupyter")
        servers.write_kernelspecs(jupyter_path)
        os.environ["JUPYTER_PATH"] = str(jupyter_path)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(Path(scratch, "runtime"))
        ours = stack.enter_context(servers.perijove(Path(scratch, "p"), jupyter_path))
        theirs = stack.enter_context(servers.jupyter_server(Path(scratch, "j"), jupyter_path))
        for server in (ours, theirs):
            rest_measures.prepare(server.root_dir)
        return [_measure(measure, ours, theirs, rounds) for measure in measures]


def _measure(measure: Measure, ours: HttpServer, theirs: HttpServer, rounds: int) -> Result:
    result = Result(measure, [], [], [])
    values = {ours.name: result.perijove, theirs.name: result.jupyter_server}
    for number in range(min(rounds, measure.most_rounds)):
        turns = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        for server in turns:
            value = asyncio.run(_value(measure, server))
            values[server.name].append(value)
            _say(f"{measure.name}: {server.name} {value:.4g} {measure.unit}")
        if measure.direct:
            result.direct.append(measure.direct())
            _say(f"{measure.name}: direct {result.direct[-1]:.4g} {measure.unit}")
    return result


async def _value(measure: Measure, server: HttpServer) -> float:
    return await measure.over_http(server)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
