"""Programs that use the services over gRPC, beside the Jupyter clients."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.running import RunningPerijove

ROOT = Path(__file__).parents[2]
RUN_CELL = [sys.executable, str(ROOT / "docs/examples/run_cell.py")]
GO_EXAMPLE = ROOT / "examples/go-execute"
BUILD_S = 500


def ran(
    perijove: RunningPerijove, command: list[str], code: str
) -> subprocess.CompletedProcess[str]:
    """Run a program with what `perijove up` prints, and return what came of it."""
    environment = {
        "PATH": os.environ["PATH"],
        "PERIJOVE_KERNELS": perijove.target("kernels"),
        "PERIJOVE_TOKEN": perijove.token,
    }
    return subprocess.run(
        [*command, code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def go_execute(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Generate the classes of the Go example and build it, as its first lines say."""
    if not shutil.which("go"):
        pytest.skip("there is no Go to build the example with")
    place = tmp_path_factory.mktemp("go")
    example = shutil.copytree(
        GO_EXAMPLE, place / "examples/go-execute", ignore=shutil.ignore_patterns("gen")
    )
    (place / "protos").symlink_to(ROOT / "protos")
    buf = Path(sys.executable).with_name("buf")
    for command in ([buf, "generate"], ["go", "build", "-o", "go-execute"]):
        built = subprocess.run(
            command, cwd=example, capture_output=True, text=True, timeout=BUILD_S, check=False
        )
        assert built.returncode == 0, built.stderr
    return [str(example / "go-execute")]


def test_the_example_of_the_documentation_runs_a_cell(perijove: RunningPerijove) -> None:
    found = ran(perijove, RUN_CELL, "print(6 * 7)")
    assert (found.stdout, found.returncode) == ("42\n", 0), found.stderr


def test_the_example_of_the_documentation_shows_an_error(perijove: RunningPerijove) -> None:
    found = ran(perijove, RUN_CELL, "1 / 0")
    assert found.returncode == 1
    assert "ZeroDivisionError" in found.stderr


@pytest.mark.timeout(2 * BUILD_S)
def test_a_program_in_go_runs_a_cell(perijove: RunningPerijove, go_execute: list[str]) -> None:
    found = ran(perijove, go_execute, "print(6 * 7)")
    assert (found.stdout, found.returncode) == ("42\n", 0), found.stderr
