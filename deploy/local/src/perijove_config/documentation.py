"""The table of docs/configuration.md; `python -m perijove_config.documentation FILE` writes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perijove_config.succession import TRAITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_config.successors import Successor

BEGIN: Final = (
    "<!-- What follows is written by `python -m perijove_config.documentation FILE`. -->\n"
)


def table() -> str:
    """Return it, in Markdown."""
    return "\n".join([*_lines(), ""])


def with_table(text: str) -> str:
    """Return a text with the table in its place at the end."""
    return text.partition(BEGIN)[0] + BEGIN + "\n" + table()


def _lines() -> Iterator[str]:
    for section, traits in TRAITS.items():
        yield f"## {section}\n"
        yield "| trait | Perijove | |"
        yield "| --- | --- | --- |"
        together: dict[Successor, list[str]] = {}
        for trait, one in traits.items():
            together.setdefault(one, []).append(f"`{trait}`")
        for one, names in together.items():
            place = f"`[{one.table}] {one.name}`" if one.table else "-"
            yield f"| {', '.join(names)} | {place} | {one.why} |"
        yield ""


def main() -> None:
    """Write the table into a file."""
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text()))


if __name__ == "__main__":
    main()
