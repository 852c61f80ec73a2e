"""What is known of kernels that are started beforehand, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - part of values
from dataclasses import dataclass, field

from perijove_chassis.errors import InvalidArgument

MOST_OF_A_KIND = 64
_WISH = re.compile(r"([A-Za-z0-9._-]{1,128})(?::([0-9]{1,3}))?")

_AT_START = re.compile(
    # Read by the interpreter, the loader or the C library when a process begins, or by
    # what has been imported in another language, where nobody sees it.
    r"PYTHON.*|LD_.*|LC_.*|LANG|LANGUAGE|MALLOC_.*|GLIBC_.*|GCONV_PATH|LOCPATH|NLSPATH|TZ|TZDIR"
    r"|HOME|PATH|OPENSSL_.*|SSL_.*|ZMQ_.*|SQLITE_.*|ASAN_.*|.*_PROXY|.*_proxy"
)
_EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class WarmPlan:
    """How many kernels of which kernelspecs are kept ready."""

    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> WarmPlan:
        """Parse names with numbers, such as `python3:2 r`; without one it is one of them.

        Raises:
            InvalidArgument: if it is none.
        """
        counts: dict[str, int] = {}
        for wish in text.replace(",", " ").split():
            found = _WISH.fullmatch(wish)
            if not found or int(found[2] or 1) > MOST_OF_A_KIND:
                raise InvalidArgument(
                    f"not a kernelspec and a number up to {MOST_OF_A_KIND}: {wish[:160]!r}"
                )
            counts[found[1].lower()] = int(found[2] or 1)
        return cls(counts)


@dataclass(frozen=True, slots=True)
class Nature:
    """What a process was once it began to wait, and cannot be made otherwise."""

    arguments: tuple[str, ...]
    """Its command line, with a sign in place of its connection file."""
    environment: Mapping[str, str] = field(repr=False)
    looked_at: frozenset[str] = frozenset()
    """Names of the variables that what it has imported has looked at; `*` for all."""

    def suits(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> bool:
        """Return whether a process that is to have these can be made of it."""
        if arguments != self.arguments:
            return False
        mine = self.environment
        if len(mine) == len(environment) and mine == environment:
            return True
        return not any(
            self._mattered(name)
            for name in {*mine, *environment}
            if mine.get(name) != environment.get(name)
        )

    def _mattered(self, name: str) -> bool:
        return (
            name in self.looked_at
            or _EVERYTHING in self.looked_at
            or _AT_START.fullmatch(name) is not None
        )


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How busy the runner is with kernels proper."""

    room: int
    """Number of kernels that it still takes."""
    starting: bool
    """Whether one is starting."""
