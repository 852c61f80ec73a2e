from __future__ import annotations

from pathlib import Path

import pytest
from perijove_local.options import Command, Options, parse
from perijove_local.terminal import Failure


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_TOKEN", "JUPYTER_TOKEN_FILE", "JUPYTER_PORT"):
        monkeypatch.delenv(name, raising=False)


def up(*arguments: str) -> Options:
    return parse(["up", *arguments])[1]


def test_without_arguments_it_serves_this_directory_to_this_machine() -> None:
    options = up()
    assert options.root == Path.cwd()
    assert options.ip == "127.0.0.1"
    assert options.ports == range(8888, 8939)
    assert options.browser


def test_no_kernel_is_kept_ready_unless_asked_for() -> None:
    assert up().warm == ""
    assert up("--warm", "python3:2").warm == "python3:2"


def test_a_token_is_made_anew_each_time_and_long() -> None:
    assert up().token != up().token
    assert len(bytes.fromhex(up().token)) == 24


def test_a_token_comes_from_the_argument_then_the_environment_then_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.setenv("JUPYTER_TOKEN_FILE", str(tmp_path / "token"))
    assert up().token == "from-file"
    monkeypatch.setenv("JUPYTER_TOKEN", "from-environment")
    assert up().token == "from-environment"
    assert up("--token", "given").token == "given"


def test_a_named_port_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert up("--port", "9999").ports == range(9999, 10000)
    assert up("--port", "0").ports == range(1)
    monkeypatch.setenv("JUPYTER_PORT", "9000")
    assert up().ports == range(9000, 9001)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("/", "/"), ("", "/"), ("user/ada", "/user/ada/"), ("/a//b c/", "/a/b%20c/")],
)
def test_a_base_url_begins_and_ends_with_a_slash(given: str, meant: str) -> None:
    assert up("--base-url", given).base_url == meant


def test_a_root_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="not a directory"):
        up("--root-dir", str(tmp_path / "absent"))


@pytest.mark.parametrize("ip", ["0.0.0.0", "*", "::", "192.0.2.1"])
def test_without_a_token_other_machines_are_refused(ip: str) -> None:
    with pytest.raises(Failure, match="only this machine"):
        up("--ip", ip, "--token", "")
    assert up("--ip", ip, "--token", "t").ip in (ip, "")


@pytest.mark.parametrize(
    "arguments", [("up", "--port", "65536"), ("up", "--port", "x"), ("up", "--what"), ()]
)
def test_a_malformed_command_line_ends_with_status_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert "usage: perijove" in capsys.readouterr().err


def test_stop_takes_a_port() -> None:
    command, options = parse(["stop", "8889"])
    assert (command, list(options.ports)) == (Command.STOP, [8889])
    assert not parse(["stop"])[1].ports


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ((), "lab"),
        (("--default-url", "/tree"), "tree"),
        (("--default-url", "lab/tree/a%20b.ipynb"), "lab/tree/a b.ipynb"),
    ],
)
def test_the_first_page_is_below_the_base_url(given: tuple[str, ...], meant: str) -> None:
    assert up(*given).default_url == meant
