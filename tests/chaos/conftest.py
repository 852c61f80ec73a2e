"""Fixtures: a session whose kernel is to survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.jupyter_ws import JupyterClient


@pytest.fixture
async def session(jupyter: JupyterClient) -> AsyncIterator[dict[str, Any]]:
    found = await jupyter.new_session("chaos.ipynb")
    yield found
    await jupyter.call("DELETE", f"api/sessions/{found['id']}", expect=204)
