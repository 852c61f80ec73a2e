"""How notebooks of every format are read: `GET api/contents/{path}`."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.conformance.rule import Rule
from tests.conformance.samples import CELL, NOTEBOOK, notebook

_HTML = {"output_type": "display_data", "metadata": {}, "data": {"text/html": ["<b>\n", "</b>"]}}
_OLD_CELL = {
    "cell_type": "code",
    "collapsed": False,
    "input": ["1 +\n", "1"],
    "language": "python",
    "metadata": {},
    "outputs": [{"output_type": "stream", "stream": "stdout", "text": ["2\n"]}],
    "prompt_number": 1,
}


def _read(says: str, stored: dict[str, Any] | str, **checks: Any) -> Rule:
    """A stored notebook is read, and its content is like this."""
    message = checks.pop("message", None)
    return Rule(
        says,
        "GET",
        "api/contents/x.ipynb",
        given={"x.ipynb": stored},
        model={"type": "notebook", "format": "json", "mimetype": None},
        content=checks,
        has_message=message,
    )


def _cell(**members: Any) -> dict[str, Any]:
    return CELL | {"metadata": {"trusted": True}, "source": "1 +\n1"} | members


NOTEBOOKS = (
    _read("lines are joined", NOTEBOOK, cells=[_cell()], nbformat=4, nbformat_minor=5),
    _read(
        "lines of outputs and attachments are joined",
        notebook(
            CELL | {"outputs": [_HTML, {"output_type": "stream", "name": "o", "text": ["a", "b"]}]},
            {
                "cell_type": "markdown",
                "id": "c2",
                "metadata": {},
                "source": ["x"],
                "attachments": {"a.svg": {"image/svg+xml": ["<s", "vg/>"]}},
            },
        ),
        cells=[
            _cell(
                metadata={"trusted": False},
                outputs=[
                    _HTML | {"data": {"text/html": "<b>\n</b>"}},
                    {"output_type": "stream", "name": "o", "text": "ab"},
                ],
            ),
            {
                "cell_type": "markdown",
                "id": "c2",
                "metadata": {},
                "source": "x",
                "attachments": {"a.svg": {"image/svg+xml": "<svg/>"}},
            },
        ],
    ),
    _read(
        "JSON in an output stays as it is",
        notebook(CELL | {"outputs": [_HTML | {"data": {"application/json": ["a", "b"]}}]}),
        cells=[
            _cell(
                metadata={"trusted": False},
                outputs=[_HTML | {"data": {"application/json": ["a", "b"]}}],
            )
        ],
    ),
    _read("an empty notebook is one", notebook(), cells=[], metadata={}),
    _read(
        "a mark of trust that is stored does not count",
        notebook(CELL | {"outputs": [_HTML], "metadata": {"trusted": True}}),
        cells=[
            _cell(
                metadata={"trusted": False},
                outputs=[_HTML | {"data": {"text/html": "<b>\n</b>"}}],
            )
        ],
    ),
    _read(
        "a notebook of format 4.0 keeps its format",
        notebook(nbformat_minor=0),
        cells=[],
        nbformat=4,
        nbformat_minor=0,
    ),
    _read(
        "a notebook of a later minor format is read",
        notebook(nbformat_minor=99),
        nbformat=4,
        nbformat_minor=99,
    ),
    _read(
        "a notebook of format 3 is upgraded",
        {
            "metadata": {"name": ""},
            "nbformat": 3,
            "nbformat_minor": 0,
            "worksheets": [{"cells": [_OLD_CELL], "metadata": {}}],
        },
        nbformat=4,
        metadata={"orig_nbformat": 3, "orig_nbformat_minor": 0},
    ),
    _read(
        "a notebook of format 2 is upgraded",
        {
            "metadata": {"name": "x"},
            "nbformat": 2,
            "worksheets": [{"cells": [_OLD_CELL]}],
        },
        nbformat=4,
    ),
    _read(
        "a notebook of format 1 is upgraded",
        {"nbformat": 1, "cells": [{"cell_type": "code", "code": "1 +\n1", "prompt_number": 1}]},
        nbformat=4,
    ),
    _read(
        "what is not JSON but a number to Python is nothing",
        json.dumps(notebook(metadata={"a": float("nan"), "b": float("-inf"), "c": 1.5})),
        metadata={"a": None, "b": None, "c": 1.5},
    ),
    _read(
        "an invalid notebook is read, and what is wrong is told",
        notebook(CELL | {"odd": 1}),
        cells=[_cell(odd=1)],
        message=re.compile(r"(?s)Notebook validation failed: .*odd.*:\n.*"),
    ),
    _read(
        "a notebook without metadata of a cell is told to be invalid",
        notebook({"cell_type": "raw", "id": "c1", "metadata": {}}),
        message=re.compile(r"(?s)Notebook validation failed: .*source.*:\n.*"),
    ),
)
