"""Save hooks of an installed package, in the process that serves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove_chassis import errors, status

from tests.contents_process import ContentsProcess, requests, stub_of

if TYPE_CHECKING:
    from pathlib import Path

HOOK = """
import pathlib

class Hook:
    def pre_save(self, path, notebook):
        if "forbidden" in notebook["metadata"]:
            raise ValueError("that is forbidden")
        notebook["metadata"]["seen"] = path

    def post_save(self, path, location):
        pathlib.Path(location + ".saved").write_text(path)
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Install a package with a hook."""
    packages = tmp_path / "packages"
    info = packages / "some_hooks-1.0.dist-info"
    info.mkdir(parents=True)
    (packages / "some_hooks.py").write_text(HOOK)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-hooks\nVersion: 1.0\n")
    points = "[perijove.contents.save_hooks]\nseen = some_hooks:Hook\n"
    (info / "entry_points.txt").write_text(points)
    (tmp_path / "root").mkdir()
    return packages


async def save(stub: Any, metadata: dict[str, str]) -> None:
    notebook = {"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    header = pb.WriteContentHeader(path="a.ipynb")
    await stub.WriteContent(requests(header, json.dumps(notebook).encode()))


async def test_a_hook_changes_refuses_and_is_told(tmp_path: Path, packages: Path) -> None:
    root = tmp_path / "root"
    process = ContentsProcess(tmp_path, root, packages=str(packages)).start()
    channel = process.channel()
    try:
        await process.ready(channel)
        await save(stub_of(channel), {})
        assert json.loads((root / "a.ipynb").read_text())["metadata"] == {"seen": "a.ipynb"}
        assert (root / "a.ipynb.saved").read_text() == "a.ipynb"
        with pytest.raises(errors.FailedPrecondition) as caught, status.rpc_errors_as_domain():
            await save(stub_of(channel), {"forbidden": "x"})
        assert caught.value.reason == "SAVE_REFUSED"
        assert str(caught.value) == "the save hook seen refused a.ipynb: that is forbidden"
        assert json.loads((root / "a.ipynb").read_text())["metadata"] == {"seen": "a.ipynb"}
        await channel.close()
        process.stop()
    finally:
        process.kill()


def test_a_hook_that_cannot_be_loaded_ends_the_process(tmp_path: Path, packages: Path) -> None:
    (packages / "some_hooks.py").unlink()
    process = ContentsProcess(tmp_path, tmp_path / "root", packages=str(packages)).start()
    try:
        assert process.wait() != 0
    finally:
        process.kill()
