"""Where kernels start whose own directory is not on this machine."""

import os
from pathlib import Path

import pytest
from perijove_runner.backends.launcher import LocalLauncher
from perijove_runner.backends.layout import StateLayout
from perijove_runner.backends.memory import OutOfMemory
from perijove_runner.store import Launch


def started_in(tmp_path: Path, directory: str, *, otherwise: str = "") -> str | None:
    oom = OutOfMemory.of_this_process()
    layout = StateLayout(str(tmp_path / "s"))
    launcher = LocalLauncher(layout, os.environ, umask=0o22, oom=oom, directory=otherwise)
    launch = Launch(
        kernel_id="k",
        argv=("a",),
        kernelspec_environment={},
        environment={},
        working_directory=directory,
    )
    return launcher.directory(launch)


def test_a_directory_that_is_there_is_used(tmp_path: Path) -> None:
    for otherwise in ("", "/"):
        assert started_in(tmp_path, str(tmp_path), otherwise=otherwise) == str(tmp_path)


@pytest.mark.parametrize("missing", ["a", "a/b", "file"])
def test_without_another_the_nearest_parent_is_used(tmp_path: Path, missing: str) -> None:
    (tmp_path / "file").touch()
    assert started_in(tmp_path, str(tmp_path / missing)) == str(tmp_path)


@pytest.mark.parametrize("missing", ["a", "a/b", "file"])
def test_one_that_is_named_is_used_for_all_that_are_not_there(tmp_path: Path, missing: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "work").mkdir()
    work = str(tmp_path / "work")
    assert started_in(tmp_path, str(tmp_path / missing), otherwise=work) == work


def test_who_names_no_directory_gets_that_one(tmp_path: Path) -> None:
    assert started_in(tmp_path, "", otherwise=str(tmp_path)) == str(tmp_path)
    assert started_in(tmp_path, "") is None
