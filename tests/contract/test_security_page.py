"""The page about security names what exists."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]


def test_every_class_has_its_row() -> None:
    assert [int(row.split("|")[1]) for row in ROWS] == list(range(1, 16))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[2].strip())
def test_what_a_row_names_is_there(row: str) -> None:
    named = re.findall(r"`([\w/.-]+\.(?:py|txt))(?:::(\w+))?`", row)
    assert any(test for _, test in named)
    for path, test in named:
        text = (ROOT / path).read_text()
        assert not test or re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), (path, test)


def test_no_package_is_kept_from_newer_versions() -> None:
    found = [ROOT / "protos" / "pyproject.toml", *ROOT.glob("services/*/pyproject.toml")]
    found += [ROOT / "gateway_http" / "pyproject.toml", *ROOT.glob("deploy/*/pyproject.toml")]
    assert len(found) > 5
    for path in found:
        for needed in tomllib.loads(path.read_text())["project"].get("dependencies", []):
            assert not re.search(r"[<!~]|==", needed.partition(";")[0]), (path, needed)
