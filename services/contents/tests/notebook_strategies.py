"""Notebooks that nbformat can think of, and texts that are nearly notebooks."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from nbformat import v1, v2, v3

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["a", "\u00e9", "e\u0301", "\U0001f600", "\ufeff", "\x00", "\x1b[31m", '"\\/']
        ),
        st.sampled_from(["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"]),
        st.sampled_from(
            ["\u2028", "\u2029", "\x7f", "\x80", "\x9f", "\ufffe", "\uffff", "</script>"]
        ),
        st.text(max_size=4),
    ),
    max_size=6,
).map("".join)
FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e16, 1e22, 1e-4, 1e-5, 9.999e-5, -0.0, 0.1, 5e-324, 1.7976931348623157e308]),
    st.sampled_from([123456789012345680.0, 1e15 + 0.5, 9007199254740993.0, 1.0, 100.0, 2.5e-8]),
)
INTEGERS = st.one_of(
    st.integers(),
    st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**40]),
)
KEYS = st.one_of(st.sampled_from(["", "a", "A", "\u00e9", "trusted", "tags", "name", "\n"]), LINES)
SCALARS = st.one_of(st.none(), st.booleans(), INTEGERS, FLOATS, LINES)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.just([]),
        st.just({}),
        st.lists(inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=8,
)
MULTILINE = st.one_of(LINES, st.lists(LINES, max_size=4))
TEXT_MIMES = st.sampled_from(
    [
        *("text/plain", "text/html", "text/latex", "text/markdown", "text/x-unknown", "text/"),
        *("image/png", "image/jpeg", "image/svg+xml", "application/javascript", "application/pdf"),
        *("application/xml", "application/x-unknown", "audio/wav", "unknown", "", "TEXT/HTML"),
    ]
)
JSON_MIMES = st.sampled_from(
    [
        *("application/json", "application/vnd.plotly.v1+json", "application/geo+json"),
        *("application/vnd.jupyter.widget-view+json", "application/+json"),
    ]
)
BUNDLES = st.builds(
    lambda texts, values: {**texts, **values},
    st.dictionaries(TEXT_MIMES, MULTILINE, max_size=3),
    st.dictionaries(JSON_MIMES, JSON, max_size=2),
)
METADATA = st.dictionaries(
    st.sampled_from(["", "a", "\u00e9", "trusted", "nbsphinx", "editable", "slideshow", "format_"]),
    JSON,
    max_size=3,
)
COUNTS = st.one_of(st.none(), st.integers(0, 2**70))
OUTPUTS = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": LINES, "text": MULTILINE},
    ),
    st.fixed_dictionaries(
        {"output_type": st.just("display_data"), "metadata": METADATA, "data": BUNDLES}
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("execute_result"),
            "execution_count": COUNTS,
            "metadata": METADATA,
            "data": BUNDLES,
        }
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("error"),
            "ename": LINES,
            "evalue": LINES,
            "traceback": st.lists(LINES, max_size=3),
        }
    ),
)
ATTACHMENTS = st.dictionaries(
    st.sampled_from(["a.png", "", "\u00e9.svg", "x/y"]),
    st.dictionaries(TEXT_MIMES, MULTILINE, max_size=2),
    max_size=2,
)
CODE_METADATA = st.builds(
    lambda given, known: {**given, **known},
    METADATA,
    st.fixed_dictionaries(
        {},
        optional={
            "collapsed": st.booleans(),
            "scrolled": st.sampled_from([True, False, "auto"]),
            "jupyter": st.just({"source_hidden": True, "outputs_hidden": False}),
            "tags": st.just(["a", "b"]),
            "name": st.just("n"),
        },
    ),
)
CODE = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "execution_count": COUNTS,
        "metadata": CODE_METADATA,
        "outputs": st.lists(OUTPUTS, max_size=3),
        "source": MULTILINE,
    }
)
PROSE = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["markdown", "raw"]),
        "metadata": st.one_of(METADATA, st.just({"format": "text/latex"})),
        "source": MULTILINE,
    },
)
WITH_ATTACHMENTS = st.builds(lambda cell, more: {**cell, "attachments": more}, PROSE, ATTACHMENTS)
NOTEBOOK_METADATA = st.fixed_dictionaries(
    {},
    optional={
        "kernelspec": st.just({"name": "python3", "display_name": "P\u00fcthon"}),
        "language_info": st.just({"name": "python", "codemirror_mode": {"version": 3}}),
        "title": LINES,
        "authors": st.just([{"name": "A"}]),
        "orig_nbformat": st.integers(1, 3),
        "signature": LINES,
        "widgets": JSON,
        "x": JSON,
    },
)
IDS = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)


@st.composite
def notebooks(draw: Callable[..., Any]) -> dict[str, Any]:
    """Make a notebook that is valid in one of the minor versions of nbformat 4."""
    minor = draw(st.integers(0, 5))
    kinds = st.one_of(CODE, PROSE, WITH_ATTACHMENTS) if minor else st.one_of(CODE, PROSE)
    cells = draw(st.lists(kinds, max_size=4))
    if minor == 5:
        ids = draw(st.lists(IDS, min_size=len(cells), max_size=len(cells), unique=True))
        cells = [{**cell, "id": id_} for cell, id_ in zip(cells, ids, strict=True)]
    return {
        "cells": cells,
        "metadata": draw(NOTEBOOK_METADATA),
        "nbformat": 4,
        "nbformat_minor": minor,
    }


@st.composite
def old_notebooks(draw: Callable[..., Any]) -> bytes:
    """Make the text of a notebook of nbformat 1, 2 or 3."""
    version = draw(st.sampled_from([v1, v2, v3]))
    code = draw(st.lists(LINES, max_size=3))
    prose = draw(LINES)
    name = draw(LINES)
    if version is v1:
        cells = [v1.new_code_cell(code=text, prompt_number=1) for text in code]
        return str(
            v1.writes_json(v1.new_notebook(cells=[*cells, v1.new_text_cell(text=prose)]))
        ).encode()
    output = version.new_output(output_type="pyout", output_text=prose, output_html="<b>")
    stream = version.new_output(output_type="stream", output_text=prose)
    cells = [
        version.new_code_cell(input=text, prompt_number=1, outputs=[output, stream])
        for text in code
    ]
    cells.append(version.new_text_cell("markdown", source=prose))
    if version is v3:
        cells.append(v3.new_heading_cell(source=prose.replace("\n", ""), level=2))
    sheets = [version.new_worksheet(name=name, cells=cells)]
    made = version.new_notebook(metadata=version.new_metadata(name=name), worksheets=sheets)
    return str(version.writes_json(made)).encode()


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every place in a tree at which something can be put instead."""
    found: list[tuple[Any, Any]] = []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        found.append((tree, key))
        if isinstance(value, (dict, list)):
            found += places(value)
    return found


ODD = st.one_of(
    JSON,
    st.sampled_from([float("nan"), float("inf"), -1, 99, "4", 4.0, True, [], {}, "\ud800", [[]]]),
    st.sampled_from(["code", "heading", "stream", "pyout", 10**5, -(10**400), {"": None}]),
)


@st.composite
def spoiled(draw: Callable[..., Any]) -> bytes:
    """Make a text that was nearly a notebook."""
    base = draw(
        st.one_of(
            notebooks(),
            old_notebooks().map(json.loads),
            st.just({"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {}}),
        )
    )
    tree = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 3))):
        options = places(tree)
        if not options:
            break
        where, key = draw(st.sampled_from(options))
        if draw(st.booleans()):
            where[key] = draw(ODD)
        elif isinstance(where, dict):
            del where[key]
    text = json.dumps(tree)
    if draw(st.integers(0, 9)) == 0:
        text = text[: draw(st.integers(0, len(text)))]
    return text.encode("utf-8", draw(st.sampled_from(["surrogatepass", "surrogatepass"])))
