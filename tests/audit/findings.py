"""What an audit has found, and what of it is known and accepted for a while."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from pathlib import Path


class NobodyKnows(Exception):
    """There was nobody to ask, or no answer that could be used."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """Something that is known against a version of a package."""

    package: str
    version: str
    names: tuple[str, ...]
    """Its own first, then those that others have given it."""
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        """Return what a person needs to know."""
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "not fixed yet"
        return f"{self.package} {self.version}: {', '.join(self.names)}, {fixed}"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of the packages that were asked about."""

    audited: int
    unknown: tuple[str, ...]
    vulnerable: tuple[Vulnerability, ...]


class _Known(msgspec.Struct):
    id: str
    aliases: list[str] = []
    fix_versions: list[str] = []


class _Package(msgspec.Struct):
    name: str
    version: str = ""
    vulns: list[_Known] = []
    skip_reason: str | None = None


class _Answer(msgspec.Struct):
    dependencies: list[_Package]


def read(answer: bytes, said: str) -> Found:
    """Return what pip-audit has found.

    Args:
        answer: Its JSON.
        said: What it has said besides; its last line is told if there is no JSON.

    Raises:
        NobodyKnows: if it has not answered.
    """
    try:
        packages = msgspec.json.decode(answer, type=_Answer).dependencies
    except msgspec.MsgspecError:
        raise NobodyKnows((said.strip() or "no answer").splitlines()[-1][:300]) from None
    audited = [package for package in packages if package.skip_reason is None]
    return Found(
        len(audited),
        tuple(package.name for package in packages if package.skip_reason is not None),
        tuple(
            Vulnerability(
                package.name, package.version, (one.id, *one.aliases), tuple(one.fix_versions)
            )
            for package in audited
            for one in package.vulns
        ),
    )


def accepted(file: Path, today: dt.date) -> frozenset[str]:
    """Return the names of vulnerabilities that are accepted today."""
    listed = tomllib.loads(file.read_text())
    return frozenset(name for name, row in listed.items() if today <= row["until"] and row["why"])


def new(found: Sequence[Vulnerability], known: Collection[str]) -> list[Vulnerability]:
    """Return those that nobody has accepted."""
    return [one for one in found if not set(one.names) & set(known)]
