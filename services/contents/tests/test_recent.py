"""Notebooks that were read lately are not understood anew, unless something has changed."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from perijove_contents.backends.codec import NbformatCodec
from perijove_contents.backends.filesystem import FilesystemStore
from perijove_contents.backends.notary import Notary
from perijove_contents.backends.recent import RecentNotebooks
from perijove_contents.manager import ContentsManager, Rules
from perijove_contents.model import EntryPath, EntryType, NotebookText
from perijove_contents.store import OpenContent

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": "a",
            "source": "x",
            "metadata": {},
            "execution_count": 1,
            "outputs": [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": "y"}}
            ],
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
PATH = EntryPath(("a.ipynb",))


@pytest.fixture
def recent() -> RecentNotebooks:
    return RecentNotebooks(10)


def _text(data: bytes) -> NotebookText:
    return NotebookText((data,), "")


def test_what_was_kept_is_found_as_of_the_same_signatures_only(recent: RecentNotebooks) -> None:
    recent.put("v", 1, _text(b"text"))
    assert recent.get("v", 1) == _text(b"text")
    assert recent.get("w", 1) is None
    assert recent.get("v", 2) is None
    assert recent.get("v", 1) is None, "what no longer holds stays away"


def test_the_one_that_was_not_asked_for_the_longest_goes_first(recent: RecentNotebooks) -> None:
    for version in "abc":
        recent.put(version, 1, _text(b"123"))
    recent.get("a", 1)
    recent.put("d", 1, _text(b"123"))
    assert [version for version in "abcd" if recent.get(version, 1)] == ["a", "c", "d"]
    recent.put("a", 1, _text(b"1234567890"))
    assert [version for version in "abcd" if recent.get(version, 1)] == ["a"]


def test_one_that_is_too_large_is_not_kept(recent: RecentNotebooks) -> None:
    recent.put("a", 1, _text(b"1"))
    recent.put("b", 1, _text(b"1" * 11))
    assert recent.get("b", 1) is None
    assert recent.get("a", 1) is not None


async def read(manager: ContentsManager) -> NotebookText:
    async with manager.read(PATH, None, None, with_hash=False) as content:
        assert content.chunks
        data = b"".join([chunk async for chunk in content.chunks])
        assert content.entry.type is EntryType.NOTEBOOK
    return NotebookText((data,), content.validation_message)


async def settled(store: FilesystemStore) -> OpenContent:
    """Wait until a file has a version: its time of change cannot be set."""
    while (opened := await store.open(PATH)).version is None:  # noqa: ASYNC110 - no event to wait for
        await asyncio.sleep(0.1)
    return opened


async def test_a_notebook_is_recalled_until_it_or_its_trust_changes(
    filesystem: FilesystemStore, codec: NbformatCodec, root: Path, tmp_path: Path
) -> None:
    file = root / "a.ipynb"
    file.write_text(json.dumps(NOTEBOOK))
    manager = ContentsManager(filesystem, codec, Rules())

    fresh = await filesystem.open(PATH)
    assert fresh.version is None, "it may change again and look the same"
    opened = await settled(filesystem)
    assert await codec.recall(opened.version) is None
    await read(manager)  # the first one of all makes the database of signatures
    first = await read(manager)
    assert await codec.recall(opened.version) == first
    assert await read(manager) == first
    assert json.loads(first.data)["cells"][0]["metadata"] == {"trusted": False}

    environ = {**os.environ, "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "nbformat.sign", str(file)]
    await asyncio.to_thread(subprocess.run, command, check=True, env=environ)
    assert await codec.recall(opened.version) is None
    assert json.loads((await read(manager)).data)["cells"][0]["metadata"] == {"trusted": True}

    file.write_text(json.dumps({**NOTEBOOK, "cells": []}))
    assert json.loads((await read(manager)).data)["cells"] == []


def test_an_edition_changes_with_each_signature(notary: Notary) -> None:
    none = notary.edition()
    notary.sign(NOTEBOOK)()
    one = notary.edition()
    notary.sign({**NOTEBOOK, "cells": []})()
    assert len({none, one, notary.edition()}) == 3
