"""Large texts that are taken out and put back make no difference to what is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perijove_chassis.errors import InvalidArgument
from perijove_contents.backends import arriving
from perijove_contents.backends.arriving import Arriving
from perijove_contents.backends.notary import Notary
from perijove_contents.backends.notebooks import read_notebook, write_arrived, write_notebook
from perijove_contents.model import EntryPath

from services.contents.tests.notebook_strategies import LINES, notebooks, spoiled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perijove_contents.store import NotebookCodec

SMALLEST = 32
"""Longer than any word of the format."""

TEXTS = [
    text + "x" * SMALLEST + text
    for text in (
        "one\ntwo\n",
        "no newline",
        "\n\n\n",
        'quote " and\nbackslash \\\n',
        "a\\nb\nc",
        "a\r\nb\rc",
        "a\u2028b\x85c\n",
        "é\nü\n",
        "\x1c\x0b\x0c\n\x00\x7f\n",
        "tab\tand\nbell\b",
        "\U0001f600\n\U0001f600",
        "\\" * 200 + '"' + "\\" * 201 + "\n",
    )
]


CELL: dict[str, Any] = {
    "cell_type": "code",
    "id": "a",
    "source": "",
    "metadata": {},
    "execution_count": 1,
}


def notebook(text: str) -> dict[str, Any]:
    """Return a notebook that has a text in every place."""
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": text},
        {
            "output_type": "display_data",
            "metadata": {"m": text},
            "data": {
                "text/html": text,
                "image/png": text,
                "image/svg+xml": text,
                "application/json": {text: [text, {"k": text}]},
            },
        },
        {"output_type": "error", "ename": text, "evalue": text, "traceback": [text, text]},
    ]
    cells = [
        {
            "cell_type": "code",
            "id": "a",
            "source": text,
            "metadata": {"trusted": True},
            "execution_count": 1,
            "outputs": outputs,
        },
        {
            "cell_type": "markdown",
            "id": "b",
            "source": [text, text],
            "metadata": {},
            "attachments": {text: {"image/png": text, "text/plain": text}},
        },
    ]
    return {"cells": cells, "metadata": {text: text}, "nbformat": 4, "nbformat_minor": 5}


def arrived(*pieces: bytes) -> Arriving:
    text = Arriving()
    for piece in pieces:
        text.add(piece)
    return text


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "LARGE_BYTES", SMALLEST)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("options", [{}, {"ensure_ascii": False}, {"indent": 3}])
def test_a_notebook_is_stored_as_it_would_be_without(
    text: str, options: dict[str, Any], notary: Notary, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = json.dumps(notebook(text), **options).encode()
    model = b'{"type":"notebook","content":%s}' % sent
    assert not arrived(sent).parted()
    plain = write_notebook(sent, notary)
    monkeypatch.setattr(arriving, "LARGE_BYTES", SMALLEST)
    assert arrived(sent).parted()
    for found in (write_notebook(sent, notary), write_notebook(model, notary, in_model=True)):
        assert (found.data, found.validation_message) == (plain.data, plain.validation_message)
        assert found.data == plain.data, "it can be gone through again"


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.usefixtures("small_is_large")
def test_its_signature_is_that_of_nbformat(text: str, notary: Notary, tmp_path: Path) -> None:
    written = write_notebook(json.dumps(notebook(text)).encode(), notary)
    assert written.settle
    written.settle()
    stranger = Notary(str(tmp_path / "data"))
    cell = json.loads(read_notebook(written.data, stranger).data)["cells"][0]
    stranger.close()
    assert cell["metadata"] == {"trusted": True}


@given(st.data(), st.sampled_from(TEXTS), st.integers(1, 500))
def test_it_makes_no_difference_in_which_pieces_it_came(
    notary: Notary, choices: st.DataObject, text: str, at_once: int
) -> None:
    sent = json.dumps(notebook(text)).encode()
    cuts = sorted(choices.draw(st.lists(st.integers(0, len(sent)), max_size=20)))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arriving, "LARGE_BYTES", SMALLEST)
        patch.setattr(arriving, "_AT_ONCE_BYTES", at_once)
        text_ = arrived(*pieces)
        assert text_.whole() == sent
        assert bool(text_.parted()) == bool(arrived(sent).parted())
        assert write_arrived(text_, notary).data == write_notebook(sent, notary).data


def test_a_text_is_looked_at_no_more_often_the_more_pieces_it_comes_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arriving, "_AT_ONCE_BYTES", 1)
    pieces = [b'["', *[b"x"] * 2**20, b'"', b"]"]
    # Else this takes hours.
    assert arrived(*pieces).parted()


@given(notebook=notebooks(), text=LINES)
def test_any_notebook_is(notebook: dict[str, Any], text: str) -> None:
    notebook["metadata"]["long"] = text + "x" * SMALLEST
    check(json.dumps(notebook).encode())


@given(data=st.one_of(spoiled(), st.binary(max_size=60)))
def test_what_is_none_is_refused_or_explained_all_the_same(data: bytes) -> None:
    check(data)


def check(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        plain = outcome(data)
        patch.setattr(arriving, "LARGE_BYTES", SMALLEST)
        assert outcome(data) == plain


def outcome(data: bytes) -> object:
    """Return what comes of a write, without trust and without ids made up on the way."""
    try:
        text = write_notebook(data, Notary("/nonexistent"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return type(error)
    tree = json.loads(text.data)
    for cell in tree["cells"] if isinstance(tree.get("cells"), list) else []:
        cell.pop("id", None)
    return json.dumps(tree), text.validation_message


def test_where_quotes_are_frequent_nothing_is_taken_out() -> None:
    data = json.dumps(["ab"] * 10_000 + ["x" * 100_000]).encode()
    assert not arrived(data).parted()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": "' + b"x" * 20_000,
        b'{"a": "' + b"\\" * 20_001 + b'"}',
        b'{"' + b"x" * 20_000 + b'" : 1}',
    ],
    ids=["open", "backslashes", "key"],
)
def test_what_is_no_text_stays_where_it_is(data: bytes) -> None:
    assert not arrived(data).parted()


@pytest.mark.parametrize("part", [b"\\q", b"\xff", b"\n", b"\\ud800"])
@pytest.mark.parametrize("kind", ["stream", "error"])
async def test_what_is_no_text_is_refused_when_it_is_to_be_written(
    codec: NotebookCodec, part: bytes, kind: str
) -> None:
    output = {
        "stream": {"output_type": "stream", "name": "stdout", "text": "HERE"},
        "error": {"output_type": "error", "ename": "HERE", "evalue": "", "traceback": []},
    }[kind]
    sent = json.dumps(notebook("") | {"cells": [CELL | {"outputs": [output]}]}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield sent.replace(b"HERE", part * 10_000)

    path = EntryPath(("a.ipynb",))
    make = await codec.prepare(path, pieces())
    with pytest.raises(InvalidArgument) as caught:
        b"".join(make().parts)
    assert caught.value.reason == "BAD_FORMAT"
    with pytest.raises(InvalidArgument):
        _ = (await codec.write(path, sent.replace(b"HERE", part * 10_000))).data
