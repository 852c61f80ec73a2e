"""The table."""

import dataclasses
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.measures import Measure

HEADINGS = ("", "unit", "Perijove", "jupyter_server", "direct", "ratio", "target", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The values of one measure, one a round."""

    measure: Measure
    perijove: Sequence[float]
    jupyter_server: Sequence[float]
    direct: Sequence[float]

    def row(self) -> tuple[str, ...]:
        """Return its cells as text: medians, and what became of the target."""
        ours, theirs = statistics.median(self.perijove), statistics.median(self.jupyter_server)
        target = self.measure.target
        return (
            self.measure.name,
            self.measure.unit,
            _number(ours),
            _number(theirs),
            _number(statistics.median(self.direct)) if self.direct else "",
            f"{ours / theirs:.3g}x" if theirs else "",
            str(target or ""),
            "" if target is None else "met" if target.met(ours, theirs) else "MISSED",
        )


def text(results: Sequence[Result]) -> str:
    """Return the table for a terminal."""
    rows = [HEADINGS, *(result.row() for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def markdown(results: Sequence[Result]) -> str:
    """Return the table for a document."""
    rows = [HEADINGS, ("---", "---", *["--:"] * 4, "---", "---"), *(r.row() for r in results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def machine(rounds: int) -> str:
    """Say when, where and with what it was measured."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} x {names[0] if names else 'CPU'}, "
        f"Python {platform.python_version()}, ipykernel {version('ipykernel')}, "
        f"jupyter_server {version('jupyter-server')}; medians of {rounds} interleaved rounds."
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if 2 <= index <= 5 else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
