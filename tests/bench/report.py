"""The table."""

import dataclasses
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.measure import Measure
from tests.bench.servers import JUPYTER_SERVER, PERIJOVE
from tests.bench.targets import Values

DIRECT = "direct"
FAILED = "FAILED"
HEADINGS = ("", "unit", PERIJOVE, JUPYTER_SERVER, DIRECT, "ratio", "to direct", "target", "")


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
        values = Values(*map(_median, (self.perijove, self.jupyter_server, self.direct)))
        return (
            self.measure.name,
            self.measure.unit,
            self._cell(PERIJOVE, values.ours),
            self._cell(JUPYTER_SERVER, values.theirs),
            self._cell(DIRECT, values.direct),
            _ratio(values.ours, values.theirs),
            _ratio(values.ours, values.direct),
            ", ".join(map(str, self.measure.targets)),
            self._verdict(values),
        )

    def _cell(self, name: str, value: float | None) -> str:
        if name in self.failures:
            return FAILED
        return "" if value is None else _number(value)

    def _verdict(self, values: Values) -> str:
        """Tell which of the targets are reached, and what failed."""
        targets = self.measure.targets
        missed = [target for target in targets if target.met(values) is False]
        said = [f"{FAILED} on {name}: {why}" for name, why in self.failures.items()]
        if missed:
            said.append("MISSED" if len(targets) == 1 else f"MISSED {', '.join(map(str, missed))}")
        elif targets and not said:
            said.append("met")
        return "; ".join(said)


def text(results: Sequence[Result]) -> str:
    """Return the table for a terminal."""
    rows = [HEADINGS, *(result.row() for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def markdown(results: Sequence[Result]) -> str:
    """Return the table for a document."""
    rows = [HEADINGS, ("---", "---", *["--:"] * 5, "---", "---"), *(r.row() for r in results)]
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
        cell.rjust(width) if 2 <= index <= 6 else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _ratio(value: float | None, other: float | None) -> str:
    return f"{value / other:.3g}x" if value is not None and other else ""


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
