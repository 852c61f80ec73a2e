"""The table of differences holds what is used, and all of it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conformance.differences import DIFFERENCES, FAULT, OF_GATEWAY
from tests.conformance.test_bad_input import ROWS
from tests.conformance.test_rules import RULES

FOLDER = Path(__file__).parent
TABLE = "differences.py"


def test_every_difference_is_used_and_has_its_reason() -> None:
    texts = "".join(path.read_text() for path in FOLDER.glob("*.py") if path.name != TABLE)
    asked = {row.id for row in ROWS} | {rule.says for rule in RULES}
    assert [key for key in DIFFERENCES if key not in asked and f'"{key}"' not in texts] == []
    assert [key for key, difference in DIFFERENCES.items() if not difference.why] == []


def test_every_difference_from_a_kernel_gateway_is_used_and_has_its_reason() -> None:
    text = (FOLDER.parent / "clients" / "test_kernel_gateway.py").read_text()
    assert [key for key in OF_GATEWAY if f'"{key}"' not in text] == []
    assert [key for key, difference in OF_GATEWAY.items() if not difference.why] == []


def test_a_failure_of_the_other_server_needs_no_other_reason() -> None:
    for key, difference in DIFFERENCES.items():
        assert (difference.instead.get("status") == 500) == (difference.why == FAULT), key


def test_no_test_decides_by_itself_what_differs() -> None:
    asking = {
        path.name
        for path in FOLDER.glob("*.py")
        if re.search(r"server\.is_stock", path.read_text()) and path.name != TABLE
    }
    assert asking - {Path(__file__).name} == set()
