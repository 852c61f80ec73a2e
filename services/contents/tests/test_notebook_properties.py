"""Any notebook that nbformat can think of, and any that it cannot."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import warnings
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbformat.validator import ValidationError, get_validator
from perijove_chassis.errors import InvalidArgument
from perijove_contents.backends.notebooks import read_notebook, write_notebook
from perijove_contents.backends.plain_notebooks import is_plain
from perijove_contents.model import EntryPath

from services.contents.tests.notebook_strategies import JSON, notebooks, old_notebooks, spoiled

if TYPE_CHECKING:
    from perijove_contents.backends.notary import Notary
    from perijove_contents.store import NotebookCodec

PATH = EntryPath(("a.ipynb",))


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    # nbformat warns of what it will not bear for ever.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def as_nbformat_writes(notebook: dict[str, Any]) -> bytes:
    file = io.StringIO()
    nbformat.write(nbformat.from_dict(copy.deepcopy(notebook)), file)
    return file.getvalue().encode()


def untrusted(text: bytes) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(text)
    for cell in shown["cells"]:
        if cell["cell_type"] == "code":
            assert cell["metadata"].pop("trusted") in (True, False)
    return shown


@given(notebook=notebooks(), ascii_only=st.booleans(), indent=st.sampled_from([None, 1, 4]))
def test_a_notebook_is_stored_as_nbformat_writes_it(
    notary: Notary,
    notebook: dict[str, Any],
    ascii_only: bool,  # noqa: FBT001
    indent: int | None,
) -> None:
    sent = json.dumps(notebook, ensure_ascii=ascii_only, indent=indent).encode()
    written = write_notebook(sent, notary)
    assert written.data == as_nbformat_writes(notebook)
    assert written.validation_message == ""


@given(notebook=notebooks())
def test_a_notebook_is_served_as_nbformat_reads_it(
    notary: Notary, notebook: dict[str, Any]
) -> None:
    for stored in (as_nbformat_writes(notebook), json.dumps(notebook).encode()):
        read = read_notebook(stored, notary)
        expected = nbformat.reads(stored.decode(), as_version=4)
        for cell in expected["cells"]:
            if cell["cell_type"] == "code":
                cell["metadata"].pop("trusted", None)
        assert json.dumps(untrusted(read.data), sort_keys=True) == json.dumps(
            expected, sort_keys=True
        )
        assert read.validation_message == ""


@given(text=st.one_of(spoiled(), notebooks().map(lambda made: json.dumps(made).encode())))
def test_what_looks_valid_at_a_glance_is_valid(text: bytes) -> None:
    try:
        tree = json.loads(text)
    except ValueError:
        return
    assert not is_plain(tree) or is_valid(tree)


def test_a_common_notebook_is_seen_to_be_valid_at_a_glance() -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]}
    shown = {"output_type": "display_data", "data": {"image/png": "a"}, "metadata": {}}
    result = shown | {"output_type": "execute_result", "execution_count": 1}
    error = {"output_type": "error", "ename": "a", "evalue": "b", "traceback": ["c"]}
    code = {
        "cell_type": "code",
        "id": "a-1",
        "metadata": {"tags": ["a"], "trusted": True, "scrolled": "auto"},
        "source": "a",
        "execution_count": None,
        "outputs": [stream, shown, result, error],
    }
    text = {"cell_type": "markdown", "id": "b_2", "metadata": {}, "source": ["a"]}
    raw = text | {"cell_type": "raw", "id": "c", "attachments": {"a.png": {"image/png": "a"}}}
    notebook = {
        "cells": [code, text, raw],
        "metadata": {"kernelspec": {"name": "a", "display_name": "b"}, "other": 1},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    assert is_plain(notebook)
    assert not is_plain(notebook | {"other": 1})
    assert not is_plain(notebook | {"cells": [text | {"id": "a b"}]})


@given(notebook=notebooks())
def test_what_was_served_and_saved_again_is_what_nbformat_makes_of_it(
    notary: Notary, notebook: dict[str, Any]
) -> None:
    stored = as_nbformat_writes(notebook)
    expected = as_nbformat_writes(nbformat.reads(stored.decode(), as_version=4))
    saved = write_notebook(read_notebook(stored, notary).data, notary).data
    assert saved == expected
    assert write_notebook(read_notebook(saved, notary).data, notary).data == saved


def without_ids(notebook: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    for cell in plain["cells"]:
        cell.pop("id", None)
        cell["metadata"].pop("trusted", None)
    return plain


@given(stored=old_notebooks())
def test_an_old_notebook_is_served_as_nbformat_upgrades_it(notary: Notary, stored: bytes) -> None:
    read = read_notebook(stored, notary)
    expected = nbformat.reads(stored.decode(), as_version=4)
    assert without_ids(json.loads(read.data)) == without_ids(expected)
    assert json.loads(read.data)["nbformat"] == 4
    # Saved as it is served, it is a new notebook and stays one.
    saved = write_notebook(read.data, notary)
    assert bool(saved.validation_message) == bool(read.validation_message)


@example(data=b'{"nbformat":4,"nbformat_minor":5,"cells":[{"cell_type":[]}],"metadata":{}}')
@example(data=b'{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":{},"orig_nbformat":[]}')
@example(data=b'{"nbformat":4,"nbformat_minor":1e999,"cells":[],"metadata":{}}')
@example(data=b'{"nbformat":4,"nbformat_minor":NaN,"cells":[],"metadata":{}}')
@example(data=b'{"nbformat":4,"nbformat_minor":-7,"cells":[],"metadata":{}}')
@example(data=b'{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":' + b"9" * 5000 + b"}")
@example(data=b'{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":{"a":1e400}}')
@example(data=b'{"nbformat":4,"metadata":{"a":' + b"[" * 3000 + b"]" * 3000 + b"}}")
@given(data=st.one_of(spoiled(), JSON.map(lambda v: json.dumps(v).encode()), st.binary(max_size=9)))
def test_what_is_nearly_a_notebook_is_refused_or_served_with_a_message(
    codec: NotebookCodec, data: bytes
) -> None:
    async def both() -> None:
        for call, reason in ((codec.read, "UNREADABLE_NOTEBOOK"), (codec.write, "BAD_FORMAT")):
            try:
                found = await call(PATH, data)
            except InvalidArgument as error:
                refused = (error.reason, len(str(error)) < 1000)
                if refused != (reason, True):
                    raise
                continue
            tree = json.loads(found.data)
            assert isinstance(tree, dict)
            # A number that JSON does not know is invalid, and served as null, which may not be;
            # where a notebook says that it came from is looked at, and not stored.
            unlike = (b"NaN", b"Infinity", b"orig_nbformat")
            if tree["nbformat"] == 4 and not any(word in data for word in unlike):
                assert bool(found.validation_message) == (not is_valid(tree)), tree

    asyncio.run(both())


def is_valid(tree: dict[str, Any]) -> bool:
    minor = tree.get("nbformat_minor", 0)
    try:
        get_validator(4, minor).validate(tree)
    except ValidationError:
        return False
    return True
