"""What the READMEs say of Redis is what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from perijove_kernels.backends import redis as kernels
from perijove_kernels.terminals.backends import redis as terminals

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("keys", [kernels._KEYS, terminals._KEYS])
def test_every_key_has_its_line(keys: list[str]) -> None:
    documented = set(re.findall(r"^\| `([^`]+)`", README.read_text(), re.MULTILINE))
    assert set(keys) <= documented
