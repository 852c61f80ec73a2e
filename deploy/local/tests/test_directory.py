from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jupyter_core.paths import jupyter_runtime_dir
from perijove_local import VERSION
from perijove_local.directory import RuntimeDirectory, jupyter_runtime, write_private
from perijove_local.logs import MOST_BYTES, Logs
from perijove_local.terminal import Failure, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pj", dir="/tmp") as directory:
        yield Path(directory)


def test_a_directory_is_made_private_and_removed(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    directory = RuntimeDirectory(None)
    assert directory.path.parent == short
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.remove()
    assert not directory.path.exists()


@pytest.mark.parametrize("base", ["", "/nowhere"])
def test_without_a_usable_place_it_is_made_below_tmp(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", base)
    directory = RuntimeDirectory(None)
    assert directory.path.parent == Path("/tmp")  # noqa: S108
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.remove()


def test_a_named_directory_keeps_its_logs_only(short: Path) -> None:
    directory = RuntimeDirectory(short / "run")
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.record.touch()
    directory.socket("redis").touch()
    (directory.logs / "redis.log").touch()
    directory.remove()
    assert not directory.record.exists()
    assert not directory.socket("redis").exists()
    assert (directory.logs / "redis.log").exists()


def test_a_directory_in_use_is_refused(short: Path) -> None:
    first = RuntimeDirectory(short)
    with pytest.raises(Failure, match="another perijove"):
        RuntimeDirectory(short)
    os.close(first._lock)
    RuntimeDirectory(short)


def test_a_directory_that_others_can_read_is_refused(short: Path) -> None:
    short.chmod(0o755)
    with pytest.raises(Failure, match="yours alone"):
        RuntimeDirectory(short)


def test_a_path_too_long_for_sockets_is_refused_and_says_so(short: Path) -> None:
    with pytest.raises(Failure, match="too long"):
        RuntimeDirectory(short / ("x" * 80))


def test_a_private_file_is_whole_and_for_this_user_only(short: Path) -> None:
    path = short / "f"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(short.iterdir()) == [path]


def test_a_log_that_grew_too_large_is_emptied_and_its_end_kept(short: Path) -> None:
    logs = Logs(short)
    path = logs.path("contents")
    with path.open("ab") as appending:
        appending.write(b"x" * MOST_BYTES)
        appending.flush()
        logs.bound()
        assert path.stat().st_size == MOST_BYTES
        appending.write(b"\nlast\n")
        appending.flush()
        logs.bound()
        assert path.stat().st_size == 0
        appending.write(b"next\n")
    assert path.read_bytes() == b"next\n"
    assert (short / "contents.log.1").read_bytes().endswith(b"last\n")


def test_logs_are_shown_once_and_in_whole_lines(
    short: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = Logs(short)
    with logs.path("a").open("ab", buffering=0) as log:
        log.write(b"one\ntw")
        logs.show_new(Terminal())
        assert capsys.readouterr().err == "one\n"
        log.write(b"o\n")
        logs.show_new(Terminal())
        logs.show_new(Terminal())
    assert capsys.readouterr().err == "two\n"
    assert logs.tail("a") == "    one\n    two"
    assert logs.tail("absent") == ""


@pytest.mark.parametrize(
    "environ",
    [
        {"JUPYTER_RUNTIME_DIR": "/a", "JUPYTER_DATA_DIR": "/b"},
        {"JUPYTER_DATA_DIR": "/b"},
        {"XDG_DATA_HOME": "/c"},
        {},
    ],
)
def test_jupyter_agrees_on_where_servers_are_announced(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert str(jupyter_runtime(environ)) == jupyter_runtime_dir()


def test_the_version_is_that_of_the_distribution() -> None:
    assert version("perijove-local") == VERSION
