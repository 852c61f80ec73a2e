"""The reasons of errors in the code are those of the contract."""

import ast
from pathlib import Path

from perijove.errors.v1 import errors_pb2

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("services", "gateway_http", "deploy")
    for path in (ROOT / folder).glob("**/src/**/*.py")
]


def reasons_in(path: Path) -> set[str]:
    return {
        keyword.value.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "reason"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
        and keyword.value.value.isupper()
    }


def test_every_reason_in_the_code_is_in_the_contract() -> None:
    known = {
        name.removeprefix("ERROR_REASON_")
        for name in errors_pb2.ErrorReason.DESCRIPTOR.values_by_name
    }
    used = {reason: path.name for path in SOURCES for reason in reasons_in(path)}
    assert used, "the search finds nothing"
    assert {reason: name for reason, name in used.items() if reason not in known} == {}
