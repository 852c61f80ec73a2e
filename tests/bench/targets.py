"""What is to be reached, and whether it is."""

import dataclasses
from typing import Protocol


@dataclasses.dataclass(frozen=True, slots=True)
class Values:
    """What was measured of each, in the unit of the measure; nothing where it failed."""

    ours: float | None
    theirs: float | None
    direct: float | None


class Goal(Protocol):
    """One target of a measure; as text, what the table says of it."""

    def met(self, values: Values) -> bool | None:
        """Tell whether it is reached; nothing if there are no values to tell it from."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """How Perijove is to stand beside jupyter_server."""

    ratio: float
    more_is_better: bool = True

    def __str__(self) -> str:
        return f"{'>=' if self.more_is_better else '<='} {self.ratio:g}x"

    def met(self, values: Values) -> bool | None:
        """Tell whether it is reached."""
        return self.met_beside(values.ours, values.theirs)

    def met_beside(self, ours: float | None, other: float | None) -> bool | None:
        """Tell whether it is reached beside a value of any other."""
        if ours is None or not other:
            return None
        ratio = ours / other
        return ratio >= self.ratio if self.more_is_better else ratio <= self.ratio


@dataclasses.dataclass(frozen=True, slots=True)
class BesideDirect:
    """How Perijove is to stand beside bare ZeroMQ."""

    target: Target

    def __str__(self) -> str:
        return f"{self.target} direct"

    def met(self, values: Values) -> bool | None:
        """Tell whether it is reached."""
        return self.target.met_beside(values.ours, values.direct)


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """What Perijove may take, whatever jupyter_server does."""

    most: float
    unit: str

    def __str__(self) -> str:
        return f"<= {self.most:g} {self.unit}"

    def met(self, values: Values) -> bool | None:
        """Tell whether it is kept."""
        return None if values.ours is None else values.ours <= self.most


@dataclasses.dataclass(frozen=True, slots=True)
class Least:
    """What Perijove is to reach, whatever jupyter_server does."""

    least: float
    unit: str

    def __str__(self) -> str:
        return f">= {self.least:g} {self.unit}"

    def met(self, values: Values) -> bool | None:
        """Tell whether it is reached."""
        return None if values.ours is None else values.ours >= self.least


def at_most(ratio: float) -> Target:
    """Return the target of what is to be small."""
    return Target(ratio, more_is_better=False)
