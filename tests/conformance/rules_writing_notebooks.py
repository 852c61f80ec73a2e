"""What writing a notebook does: `PUT api/contents/{path}`."""

from __future__ import annotations

import re
from functools import partial

from tests.conformance.rule import Rule
from tests.conformance.samples import CELL, NOTEBOOK, notebook

_put = partial(Rule, method="PUT")
_new = partial(_put, status=201)
_BARE = {"content": None, "format": None}
_NOTEBOOK = {"type": "notebook", "format": "json", "content": NOTEBOOK}
_KEPT = ".ipynb_checkpoints/{}-checkpoint.ipynb"

WRITING_NOTEBOOKS = (
    _put(
        "a notebook is stored as nbformat writes it",
        target="api/contents/n.ipynb",
        json=_NOTEBOOK | {"content": notebook(CELL | {"source": "é\n2"})},
        model={"type": "notebook", "mimetype": None, **_BARE},
        leaves={
            "n.ipynb": (
                '{\n "cells": [\n  {\n   "cell_type": "code",\n   "execution_count": null,\n'
                '   "id": "c1",\n   "metadata": {},\n   "outputs": [],\n   "source": [\n'
                '    "é\\n",\n    "2"\n   ]\n  }\n ],\n "metadata": {},\n "nbformat": 4,\n'
                ' "nbformat_minor": 5\n}\n'
            )
        },
    ),
    _put(
        "the format of a notebook need not be said",
        target="api/contents/n.ipynb",
        json={"type": "notebook", "content": NOTEBOOK},
        model={"type": "notebook"},
        leaves={"n.ipynb": NOTEBOOK},
    ),
    _put(
        "the first save of a notebook keeps a checkpoint of it",
        target="api/contents/n.ipynb",
        json=_NOTEBOOK | {"content": notebook()},
        model={},
        leaves={_KEPT.format("n"): notebook()},
    ),
    _put(
        "a checkpoint that is there stays",
        target="api/contents/n.ipynb",
        json=_NOTEBOOK,
        given={_KEPT.format("n"): notebook()},
        model={},
        leaves={"n.ipynb": NOTEBOOK, _KEPT.format("n"): notebook()},
    ),
    _put(
        "an invalid notebook is stored, and what is wrong is told",
        target="api/contents/n.ipynb",
        json=_NOTEBOOK | {"content": notebook(CELL | {"odd": 1})},
        model={"message": re.compile(r"(?s)Notebook validation failed: .*odd.*:\n.*"), **_BARE},
        leaves={"n.ipynb": notebook(CELL | {"odd": 1})},
    ),
    _put(
        "an old notebook is stored as it is",
        target="api/contents/n.ipynb",
        json={
            "type": "notebook",
            "content": {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": []},
        },
        model={},
        leaves={"n.ipynb": {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": []}},
    ),
    _put(
        "marks of trust are not stored",
        target="api/contents/n.ipynb",
        json=_NOTEBOOK | {"content": notebook(CELL | {"metadata": {"trusted": True, "x": 1}})},
        model={},
        leaves={"n.ipynb": notebook(CELL | {"metadata": {"x": 1}})},
    ),
    _new(
        "a notebook of any name is written as one, and then a file",
        target="api/contents/nb.json",
        json=_NOTEBOOK,
        model={"type": "file"},
        leaves={"nb.json": NOTEBOOK},
    ),
    _new(
        "a new notebook without content is an empty one",
        target="api/contents/x.ipynb",
        json={"type": "notebook"},
        model={"type": "notebook"},
        leaves={"x.ipynb": notebook()},
    ),
)
