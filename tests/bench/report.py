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
from tests.bench.servers import JUPYTER_SERVER, PERIJOVE

DIRECT = "direct"
FAILED = "FAILED"
HEADINGS = ("", "unit", PERIJOVE, JUPYTER_SERVER, DIRECT, "ratio", "target", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The values of one measure, one a round."""

    measure: Measure
    perijove: list[float]
    jupyter_server: list[float]
    direct: list[float]
    failures: dict[str, str]
    """Why there are no values, or fewer than rounds, by whom it failed on."""

    def row(self) -> tuple[str, ...]:
        """Return its cells as text: medians, and what became of the target."""
        ours, theirs = _median(self.perijove), _median(self.jupyter_server)
        return (
            self.measure.name,
            self.measure.unit,
            self._cell(PERIJOVE, ours),
            self._cell(JUPYTER_SERVER, theirs),
            self._cell(DIRECT, _median(self.direct)),
            f"{ours / theirs:.3g}x" if ours is not None and theirs else "",
            str(self.measure.target or ""),
            self._verdict(ours, theirs),
        )

    def _cell(self, name: str, value: float | None) -> str:
        if name in self.failures:
            return FAILED
        return "" if value is None else _number(value)

    def _verdict(self, ours: float | None, theirs: float | None) -> str:
        if self.failures:
            return "; ".join(f"{FAILED} on {name}: {why}" for name, why in self.failures.items())
        target = self.measure.target
        if target is None or ours is None or theirs is None:
            return ""
        return "met" if target.met(ours, theirs) else "MISSED"


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


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
