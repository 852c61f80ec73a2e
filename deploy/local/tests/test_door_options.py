from __future__ import annotations

import socket
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from perijove_local.listening import listen, listening_on
from perijove_local.options import Options, parse
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator


def up(*arguments: str) -> Options:
    return parse(["up", "--token", "t", *arguments])[1]


@pytest.fixture
def path() -> Iterator[Path]:
    with TemporaryDirectory(prefix="pj", dir="/tmp") as directory:
        yield Path(directory, "s.sock")


def test_a_unix_socket_has_the_mode_that_was_asked_for_and_leaves_no_path(path: Path) -> None:
    for mode in ("0600", "0660"):
        options = up("--sock", str(path), "--sock-mode", mode)
        with listening_on(options) as listening:
            assert stat.S_IMODE(path.stat().st_mode) == int(mode, 8)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
            assert listening.getsockname() == str(path)
        assert not path.exists()


def test_a_socket_that_is_served_is_left_alone(path: Path) -> None:
    options = up("--sock", str(path))
    with listening_on(options), pytest.raises(Failure, match="cannot listen on --sock"):
        listen(options)


def test_a_socket_that_nobody_serves_is_replaced_and_a_file_is_not(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listening_on(up("--sock", str(path))):
        assert path.is_socket()
    path.write_text("kept")
    with pytest.raises(Failure, match="cannot listen"):
        listen(up("--sock", str(path)))
    assert path.read_text() == "kept"


def test_without_a_token_a_unix_socket_is_served(path: Path) -> None:
    assert up("--sock", str(path), "--token", "", "--ip", "0.0.0.0").door.sock == path


@pytest.mark.parametrize(
    "arguments",
    [
        ("--keyfile", "/dev/null"),
        ("--client-ca", "/dev/null"),
        ("--certfile", "/does/not/exist"),
        ("--sock", "/" + "x" * 103),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(arguments: tuple[str, ...]) -> None:
    with pytest.raises(Failure) as caught:
        up(*arguments)
    assert "\n" not in str(caught.value)


def test_a_mode_that_shuts_the_server_out_is_none() -> None:
    for mode in ("0400", "rw", "0o600", "08"):
        with pytest.raises(SystemExit):
            up("--sock-mode", mode)
