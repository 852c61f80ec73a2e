"""What the READMEs say of Redis is what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from perijove_sessions.backends import redis as sessions
from perijove_sessions.events.backends import redis as events

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("keys", [sessions._KEYS, events._KEYS])
def test_every_key_has_its_line(keys: list[str]) -> None:
    documented = set(re.findall(r"^\| `([^`]+)`", README.read_text(), re.MULTILINE))
    assert set(keys) <= documented
