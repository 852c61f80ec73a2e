"""What an audit of the packages makes of its answers."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from tests.audit.findings import NobodyKnows, accepted, new, read

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = {
    "dependencies": [
        {"name": "good", "version": "1", "vulns": []},
        {
            "name": "bad",
            "version": "2",
            "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3"]}],
        },
        {"name": "absent", "skip_reason": "Dependency not found"},
    ],
    "fixes": [],
}
TODAY = dt.date(2026, 12, 1)


def test_what_is_known_of_packages_is_told_and_what_is_not_is_named() -> None:
    found = read(json.dumps(ANSWER).encode(), "")
    assert (found.audited, found.unknown) == (2, ("absent",))
    assert [str(one) for one in found.vulnerable] == ["bad 2: PYSEC-1, CVE-1, fixed in 3"]


@pytest.mark.parametrize(
    ("said", "told"), [("a\nno route to host\n", "no route"), ("", "no answer")]
)
def test_no_answer_is_no_good_news(said: str, told: str) -> None:
    with pytest.raises(NobodyKnows, match=told):
        read(b"", said)


def test_what_is_accepted_is_so_for_a_while(tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text('["CVE-1"]\nuntil = 2026-12-01\nwhy = "it is never called"')
    found = read(json.dumps(ANSWER).encode(), "").vulnerable
    assert not new(found, accepted(file, TODAY))
    assert new(found, accepted(file, TODAY + dt.timedelta(days=1)))
