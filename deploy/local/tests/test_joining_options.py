from __future__ import annotations

import socket
from pathlib import Path

import pytest
from perijove_local.joining_options import RunnerOptions, TokenOptions
from perijove_local.listening import check_free
from perijove_local.options import Options, parse
from perijove_local.pool import Pool
from perijove_local.terminal import Failure


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERIJOVE_JOIN_TOKEN", raising=False)


def runner(*arguments: str) -> RunnerOptions:
    found = parse(["runner", *arguments])[1]
    assert isinstance(found, RunnerOptions)
    return found


def test_nobody_joins_unless_it_is_asked_for() -> None:
    found = parse(["up"])[1]
    assert isinstance(found, Options)
    assert found.pool is None


def test_a_runner_that_has_joined_needs_no_arguments() -> None:
    found = runner()
    assert (found.join, found.token.reveal(), found.advertise) == ("", "", "")
    assert found.listen == "0.0.0.0:7481"
    assert found.work == Path.cwd()


def test_a_token_comes_from_the_argument_or_the_environment_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERIJOVE_JOIN_TOKEN", "from-the-environment")
    assert runner().token.reveal() == "from-the-environment"
    assert runner("--token", "given").token.reveal() == "given"
    assert "given" not in repr(runner("--token", "given"))


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("gpu1.example.org", "gpu1"),
        ("GPU_2", "GPU_2"),
        ("a b/c", "a-b-c"),
        ("é", "runner"),
        ("-", "runner"),
        ("x" * 64, "x" * 32),
    ],
)
def test_a_runner_is_called_after_its_machine(
    monkeypatch: pytest.MonkeyPatch, hostname: str, name: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: hostname)
    assert runner().name == name


@pytest.mark.parametrize("text", ["host", "host:", "host:x", "host:0", "host:65536", "::1:80"])
def test_what_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(SystemExit):
        runner("--join", text)


@pytest.mark.parametrize(
    ("text", "found"),
    [(":80", "0.0.0.0:80"), ("[::1]:80", "[::1]:80"), ("a.example:080", "a.example:80")],
)
def test_a_host_and_port_is_read(text: str, found: str) -> None:
    assert runner("--join", text).join == found


def test_a_directory_to_work_in_must_be_there() -> None:
    with pytest.raises(Failure, match="is not a directory"):
        runner("--work-dir", "/nowhere")


def test_tokens_are_for_one_machine_and_an_hour_unless_more_is_said() -> None:
    found = parse(["token", "create"])[1]
    assert isinstance(found, TokenOptions)
    assert (found.hours, found.uses) == (1.0, 1)
    found = parse(["token", "create", "--hours", "24", "--uses", "3", "--port", "8888"])[1]
    assert found == TokenOptions("create", "", 24.0, 3, range(8888, 8889))


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "x", "100000"])
def test_a_token_holds_for_some_time_and_not_for_ever(hours: str) -> None:
    with pytest.raises(SystemExit):
        parse(["token", "create", "--hours", hours])


def test_a_port_that_is_taken_is_said_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Failure, match=r"--listen 127.*in use"):
            check_free(address, "--listen")
    check_free(address, "--listen")


def test_a_pool_is_made_once_and_others_are_told_how_to_reach_it(tmp_path: Path) -> None:
    arguments = ["up", "--pool-listen", ":7480", "--pool-advertise", "pool.example:9000"]
    options = parse(arguments)[1]
    assert isinstance(options, Options)
    assert options.pool
    pool = Pool.made(options.pool, tmp_path)
    assert pool.reachable == "pool.example:9000"
    key = pool.service_key().reveal()
    assert Pool.made(options.pool, tmp_path).service_key().reveal() == key
    assert pool.invitation().startswith("perijove runner --join pool.example:9000 --token pj1.")
