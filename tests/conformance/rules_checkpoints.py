"""Earlier versions of entries: `api/contents/{path}/checkpoints`."""

from __future__ import annotations

from tests.conformance.client import TIME
from tests.conformance.given import Kind
from tests.conformance.rule import Rule
from tests.conformance.samples import NOTEBOOK

_ALL = "api/contents/d/c.txt/checkpoints"
_ONE = _ALL + "/checkpoint"
_PLACE = "d/.ipynb_checkpoints/c-checkpoint.txt"

CHECKPOINTS = (
    Rule(
        "a checkpoint is created beside its file",
        "POST",
        _ALL,
        201,
        model={"id": "checkpoint", "last_modified": TIME},
        headers={"Location": f"/{_ONE}"},
        leaves={_PLACE: "in d"},
    ),
    Rule(
        "there is one checkpoint: a new one replaces it",
        "POST",
        _ALL,
        201,
        given={_PLACE: "old"},
        model={"id": "checkpoint"},
        leaves={_PLACE: "in d"},
    ),
    Rule(
        "a checkpoint of a notebook is the same bytes",
        "POST",
        "api/contents/n.ipynb/checkpoints",
        201,
        model={"id": "checkpoint"},
        headers={"Location": "/api/contents/n.ipynb/checkpoints/checkpoint"},
        leaves={".ipynb_checkpoints/n-checkpoint.ipynb": NOTEBOOK},
    ),
    Rule(
        "a Location of a checkpoint is encoded",
        "POST",
        "api/contents/%C3%A9%20x/checkpoints",
        201,
        given={"é x": "x"},
        model={"id": "checkpoint"},
        headers={"Location": "/api/contents/%C3%A9%20x/checkpoints/checkpoint"},
        leaves={".ipynb_checkpoints/é x-checkpoint": "x"},
    ),
    Rule(
        "a checkpoint is restored and stays",
        "POST",
        _ONE,
        204,
        given={_PLACE: "old"},
        headers={"Content-Type": None},
        leaves={"d/c.txt": "old", _PLACE: "old"},
    ),
    *(
        Rule(
            f"{what} has no checkpoints",
            "GET",
            f"api/contents/{path}/checkpoints",
            body=b"[]",
            headers={"Content-Type": "application/json"},
            leaves={f"{above}.ipynb_checkpoints": Kind.NOTHING},
        )
        for what, path, above in (
            ("a file of which none was made", "d/c.txt", "d/"),
            ("what is not there", "d/nope.txt", "d/"),
            ("what is hidden", ".hidden.txt", ""),
        )
    ),
    Rule(
        "a checkpoint is deleted",
        "DELETE",
        _ONE,
        204,
        given={_PLACE: "old"},
        headers={"Content-Type": None},
        leaves={"d/c.txt": "in d", _PLACE: Kind.NOTHING},
    ),
)
