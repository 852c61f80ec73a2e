"""Notebooks to send and to store."""

from __future__ import annotations

from typing import Any

CELL: dict[str, Any] = {
    "cell_type": "code",
    "execution_count": None,
    "id": "c1",
    "metadata": {},
    "outputs": [],
    "source": ["1 +\n", "1"],
}
NOTEBOOK: dict[str, Any] = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

OLD: dict[str, Any] = {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": []}


def notebook(*cells: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a notebook of cells, and with other members than usual."""
    return NOTEBOOK | {"cells": list(cells)} | members
