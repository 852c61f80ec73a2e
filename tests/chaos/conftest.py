"""Fixtures: a session whose kernel is to survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.jupyter_ws import JupyterClient


LONGEST_FIRST = ("test_rolling", "test_kill", "test_contents_crash", "test_redis_loss")
"""Files that would have all others wait for them in the end, if they were not begun at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    last = len(LONGEST_FIRST)
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, last))


@pytest.fixture
async def session(jupyter: JupyterClient) -> AsyncIterator[dict[str, Any]]:
    found = await jupyter.new_session("chaos.ipynb")
    yield found
    await jupyter.call("DELETE", f"api/sessions/{found['id']}", expect=204)
