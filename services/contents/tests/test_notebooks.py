"""Notebooks: the same bytes as nbformat, and the same trust."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.sign import NotebookNotary
from perijove_chassis.errors import InvalidArgument
from perijove_contents.backends.codec import NbformatCodec
from perijove_contents.backends.notary import Notary
from perijove_contents.backends.notebooks import read_notebook, write_notebook
from perijove_contents.model import EntryPath

PATH = EntryPath(("a.ipynb",))
TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["a\nb\n", "a\r\nb", "\x0b\x0c\x1c\x85\u2028x", "", "\n\n", 'é"\\/\x7f\x00\x1f']
    ),
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e22, 1e16, 1e-5, 1e-7, -0.0, 1.0, 123456789.125, 2**64, -(2**70)]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
BUNDLE = st.dictionaries(
    st.sampled_from(
        ["text/plain", "text/html", "image/png", "image/svg+xml", "application/javascript"]
    ),
    st.one_of(TEXT, st.lists(TEXT, max_size=3)),
    max_size=3,
)
RICH = st.builds(
    lambda data, more: {**data, "application/json": more},
    BUNDLE,
    st.dictionaries(TEXT, JSON, max_size=2),
)
OUTPUTS = st.one_of(
    st.builds(
        lambda text: {"output_type": "stream", "name": "stdout", "text": text},
        st.one_of(TEXT, st.lists(TEXT, max_size=3)),
    ),
    st.builds(lambda data: {"output_type": "display_data", "metadata": {}, "data": data}, RICH),
    st.builds(
        lambda data: {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": data,
        },
        RICH,
    ),
    st.just({"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a\n", "b"]}),
)
METADATA = st.dictionaries(st.sampled_from(["trusted", "x", "é"]), JSON, max_size=2)
SOURCE = st.one_of(TEXT, st.lists(TEXT, max_size=3))
CELLS = st.one_of(
    st.builds(
        lambda source, metadata, outputs: {
            "cell_type": "code",
            "execution_count": None,
            "source": source,
            "metadata": metadata,
            "outputs": outputs,
        },
        SOURCE,
        METADATA,
        st.lists(OUTPUTS, max_size=2),
    ),
    st.builds(
        lambda source, metadata, bundle: {
            "cell_type": "markdown",
            "source": source,
            "metadata": metadata,
            "attachments": {"a.png": bundle},
        },
        SOURCE,
        METADATA,
        BUNDLE,
    ),
)


def with_ids(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells)]


NOTEBOOKS = st.builds(
    lambda cells, metadata, minor: {
        "cells": with_ids(cells) if minor == 5 else cells,
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": minor,
    },
    st.lists(CELLS, max_size=3),
    st.dictionaries(st.sampled_from(["signature", "orig_nbformat", "y"]), JSON, max_size=2),
    st.sampled_from([0, 4, 5]),
)
THOROUGH = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=100,
)


def as_nbformat_writes(notebook: dict[str, Any]) -> bytes:
    file = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nbformat.write(nbformat.from_dict(notebook), file)
    return file.getvalue().encode()


@THOROUGH
@given(notebook=NOTEBOOKS)
def test_what_is_written_is_byte_equal_to_nbformat(
    notary: Notary, notebook: dict[str, Any]
) -> None:
    sent = json.dumps(notebook).encode()
    assert write_notebook(sent, notary).data == as_nbformat_writes(notebook)


@THOROUGH
@given(notebook=NOTEBOOKS)
def test_what_is_read_is_equal_to_nbformat(notary: Notary, notebook: dict[str, Any]) -> None:
    stored = as_nbformat_writes(notebook)
    read = read_notebook(stored, notary)
    expected = nbformat.reads(stored.decode(), as_version=4)
    shown = json.loads(read.data)
    for cell in shown["cells"]:
        if cell["cell_type"] == "code":
            assert cell["metadata"].pop("trusted") in (True, False)
    assert shown == expected


def notebook(*outputs: dict[str, Any], **metadata: object) -> dict[str, Any]:
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "a",
        "metadata": metadata,
        "outputs": list(outputs),
        "source": "1\n2",
    }
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


HTML = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>\n</b>"}}


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def is_trusted(data: bytes, notary: Notary) -> bool:
    cell = json.loads(read_notebook(data, notary).data)["cells"][0]
    return bool(cell["metadata"]["trusted"])


def test_a_notebook_made_here_is_trusted_when_read_again(notary: Notary, tmp_path: Path) -> None:
    stored = write_notebook(encoded(notebook(HTML, trusted=True)), notary).data
    assert b"trusted" not in stored
    assert is_trusted(stored, notary)
    # After a restart too: the database says so, not this process.
    fresh = Notary(str(tmp_path / "data"))
    assert is_trusted(stored, fresh)
    assert not is_trusted(stored.replace(b"<b>", b"<i>"), fresh)
    fresh.close()
    stranger = Notary(str(tmp_path / "elsewhere"))
    assert not is_trusted(stored, stranger)
    stranger.close()
    assert (tmp_path / "data" / "notebook_secret").stat().st_mode & 0o777 == 0o600


def test_a_rich_output_that_nobody_trusts_stays_mistrusted(notary: Notary) -> None:
    assert not is_trusted(write_notebook(encoded(notebook(HTML)), notary).data, notary)
    assert is_trusted(write_notebook(encoded(notebook()), notary).data, notary)


def test_the_notary_of_nbformat_agrees(notary: Notary, tmp_path: Path) -> None:
    stored = write_notebook(encoded(notebook(HTML, trusted=True)), notary).data
    with NotebookNotary(data_dir=str(tmp_path / "data")) as theirs:
        assert theirs.check_signature(nbformat.reads(stored.decode(), as_version=4))
        other = nbformat.from_dict(notebook(HTML, x=1))
        theirs.sign(other)
    assert is_trusted(as_nbformat_writes(notebook(HTML, x=1)), notary)


def test_a_notebook_has_one_signature_however_its_lines_are_kept(
    notary: Notary, tmp_path: Path
) -> None:
    many = {
        "text/html": "<b>\n</b>\n\n",
        "text/plain": "",
        "image/png": "aGk=\n",
        "application/json": ["a\n", 1.5, None, True],
        "application/x+json": {"é": ["b\n"]},
    }
    output = {"output_type": "display_data", "metadata": {}, "data": many}
    stream = {"output_type": "stream", "name": "stdout", "text": "1\r\n2\u20283"}
    stored = write_notebook(encoded(notebook(output, stream, trusted=True)), notary).data
    assert is_trusted(stored, notary)
    with NotebookNotary(data_dir=str(tmp_path / "data")) as theirs:
        assert theirs.check_signature(nbformat.from_dict(json.loads(stored)))
        assert theirs.check_signature(nbformat.reads(stored.decode(), as_version=4))


def test_a_notary_without_a_place_costs_trust_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    notary = Notary(str(tmp_path / "file" / "data"))
    stored = write_notebook(encoded(notebook(HTML, trusted=True)), notary).data
    assert not is_trusted(stored, notary)
    notary.close()


def test_an_invalid_notebook_is_written_and_read_with_a_message(notary: Notary) -> None:
    invalid = notebook()
    invalid["cells"][0]["surprise"] = 1
    written = write_notebook(encoded(invalid), notary)
    assert "Notebook validation failed" in written.validation_message
    assert "surprise" in written.validation_message
    read = read_notebook(written.data, notary)
    assert "surprise" in read.validation_message
    assert json.loads(read.data)["cells"][0]["surprise"] == 1
    invalid["metadata"]["filling"] = "x" * 2_000_000
    assert "validation failed" in write_notebook(encoded(invalid), notary).validation_message


def test_cells_without_an_id_of_their_own_get_one(notary: Notary) -> None:
    sent = notebook()
    sent["cells"] = [{**sent["cells"][0]}, {**sent["cells"][0]}]
    del sent["cells"][0]["id"]
    sent["cells"].append({**sent["cells"][1]})
    cells = json.loads(write_notebook(encoded(sent), notary).data)["cells"]
    assert len({cell["id"] for cell in cells}) == 3


def test_an_old_notebook_is_upgraded_when_read(notary: Notary) -> None:
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(input="1+1")])]
    )
    stored = nbformat.v3.writes_json(old).encode()
    read = json.loads(read_notebook(stored, notary).data)
    assert read["nbformat"] == 4
    assert read["metadata"]["orig_nbformat"] == 3
    assert read["cells"][0]["source"] == "1+1"
    assert read["cells"][0]["metadata"]["trusted"] is False
    assert json.loads(write_notebook(stored, notary).data)["nbformat"] == 3


def test_numbers_that_json_does_not_know_do_not_stop_anybody(notary: Notary) -> None:
    stored = as_nbformat_writes(notebook(x=float("nan"), y=float("inf")))
    read = json.loads(read_notebook(stored, notary).data, parse_constant=pytest.fail)
    assert read["cells"][0]["metadata"]["x"] is None
    assert write_notebook(stored, notary).data == stored


UNREADABLE = [
    b"",
    b"x",
    b"{",
    b"[]",
    b"5",
    b'"x"',
    b"null",
    b"{}",
    b"\xff",
    b'{"nbformat":4}',
    b'{"nbformat":4,"nbformat_minor":5,"cells":5,"metadata":{}}',
    b'{"nbformat":4,"nbformat_minor":5,"cells":[5],"metadata":{}}',
    b'{"nbformat":4,"nbformat_minor":5,"cells":[{}],"metadata":{}}',
    b'{"nbformat":4,"nbformat_minor":"x","cells":[],"metadata":{}}',
    b'{"nbformat":99,"cells":[],"metadata":{}}',
    b'{"nbformat":"4","cells":[],"metadata":{}}',
    b'{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":5}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("data", UNREADABLE, ids=lambda data: repr(data[:60]))
async def test_what_is_no_notebook_is_refused(codec: NbformatCodec, data: bytes) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await codec.read(PATH, data)
    assert caught.value.reason == "UNREADABLE_NOTEBOOK"
    with pytest.raises(InvalidArgument) as caught:
        await codec.write(PATH, data)
    assert caught.value.reason == "BAD_FORMAT"


async def test_a_text_that_is_not_unicode_is_refused(codec: NbformatCodec) -> None:
    sent = encoded(notebook(x="\ud800"))
    with pytest.raises(InvalidArgument):
        await codec.write(PATH, sent)
    assert b"ud800" in (await codec.read(PATH, sent)).data
