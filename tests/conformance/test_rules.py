"""The tables of right requests: all that each says holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.differences import expected
from tests.conformance.given import expect, put
from tests.conformance.permissions import SHOWN
from tests.conformance.rules_checkpoints import CHECKPOINTS
from tests.conformance.rules_files import FILES
from tests.conformance.rules_moving import MOVING
from tests.conformance.rules_naming import NAMING
from tests.conformance.rules_notebooks import NOTEBOOKS
from tests.conformance.rules_reading import READING
from tests.conformance.rules_writing import WRITING
from tests.conformance.rules_writing_notebooks import WRITING_NOTEBOOKS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Server
    from tests.conformance.rule import Rule

RULES: tuple[Rule, ...] = (
    *READING,
    *WRITING,
    *WRITING_NOTEBOOKS,
    *NAMING,
    *MOVING,
    *CHECKPOINTS,
    *NOTEBOOKS,
    *FILES,
    *SHOWN,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_rule_of_contents(rule: Rule, server: Server, tree: Path) -> None:
    rule = expected(server, rule.says, rule)
    put(tree, rule.given)
    answer = server.ask(rule.method, rule.target, json=rule.json, body=rule.raw, headers=rule.sends)
    rule.expect(answer, server.base)
    expect(tree, rule.leaves)
