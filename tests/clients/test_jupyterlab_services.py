"""What JupyterLab itself speaks to a server with, in Node and without a browser."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import RunningPerijove

FILES = sorted(Path(__file__).with_name("node").glob("managers/*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
def test_managers_of_jupyterlab_find_all_they_need(
    file: Path, drive: Callable[..., None], perijove: RunningPerijove
) -> None:
    drive(file, perijove.url, perijove.token)


def test_client_is_of_the_front_end_that_is_installed(node: Path) -> None:
    lab = importlib.metadata.distribution("jupyterlab")
    static = Path(str(lab.locate_file("../../../share/jupyter/lab/static/package.json")))
    wanted = json.loads(static.read_text())["resolutions"]["@jupyterlab/services"]
    installed = json.loads((node / "package.json").read_text())["dependencies"]
    assert installed["@jupyterlab/services"] == wanted.lstrip("~")
