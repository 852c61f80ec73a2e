from __future__ import annotations

import os
from pathlib import Path

import pytest
from perijove_config.catalogue import settings
from perijove_config.checking import problems
from perijove_config.showing import shown
from perijove_local.configuration import Configuration, find
from perijove_local.options import parse
from perijove_local.terminal import Failure


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("PERIJOVE_", "JUPYTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def written(tmp_path: Path, text: str, name: str = "perijove.toml") -> str:
    path = tmp_path / "config" / "perijove" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_an_argument_counts_more_than_a_variable_and_that_more_than_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, '[up]\nport = 1001\nip = "localhost"\nbrowser = false\n')
    options = parse(["up"])[1]
    assert (options.ports, options.ip, options.browser) == (range(1001, 1002), "localhost", False)
    monkeypatch.setenv("JUPYTER_PORT", "1002")
    assert parse(["up"])[1].ports == range(1002, 1003)
    monkeypatch.setenv("PERIJOVE_PORT", "1003")
    assert parse(["up"])[1].ports == range(1003, 1004)
    assert parse(["up", "--port", "1004"])[1].ports == range(1004, 1005)


def test_the_named_file_is_read_in_place_of_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "[up]\nport = 1001\n")
    other = tmp_path / "other.toml"
    other.write_text("[up]\nport = 1002\n")
    assert parse(["up", "--config", str(other)])[1].ports == range(1002, 1003)
    monkeypatch.setenv("PERIJOVE_CONFIG", str(other))
    assert parse(["up"])[1].ports == range(1002, 1003)
    with pytest.raises(Failure, match="cannot be read"):
        parse(["up", "--config", str(tmp_path / "absent")])


def test_no_file_is_read_from_where_documents_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "perijove.toml").write_text("[up]\nport = 1001\n")
    monkeypatch.chdir(tmp_path)
    assert find(None, os.environ) == Configuration()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[up]\nbase-url = '/'\nbase_url = '/'\n", "says base_url twice"),
        ("[gateway_http]\nheaders = {a = 2026-01-01}\n", "must be a text, a number"),
        ("[up]\nprot = 1\n", "did you mean port"),
        ("[upp]\n", r"no table \[upp\]; there are \[up\]"),
        ("port = 1\n", r"no table \[port\]"),
        ("[up]\nport = 'x'\n", "port in .*perijove.toml: x is not a port"),
        ("[up]\nbrowser = 'maybe'\n", "maybe is neither true nor false"),
        ("[up]\nlog-level = 'loud'\n", "loud is none of debug"),
        ("[up]\nport = 2026-01-01\n", "must be a text, a number"),
        ("[up\n", "perijove.toml: "),
    ],
)
def test_what_is_wrong_in_the_file_is_said(text: str, says: str, tmp_path: Path) -> None:
    written(tmp_path, text)
    with pytest.raises(Failure, match=says):
        parse(["up"])


def test_a_port_may_have_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PORT_RETRIES", "2")
    assert parse(["up"])[1].ports == range(8888, 8891)
    assert parse(["up", "--port", "9000"])[1].ports == range(9000, 9003)
    assert parse(["up", "--port", "0"])[1].ports == range(1)


def test_a_runner_has_a_table_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, '[join]\njoin = "h:1"\ncapacity = 7\nkeep-kernels = true\n')
    options = parse(["runner"])[1]
    assert (options.join, options.capacity, options.keep) == ("h:1", 7, True)
    monkeypatch.setenv("PERIJOVE_JOIN_TOKEN", "t")
    monkeypatch.setenv("PERIJOVE_JOIN_CAPACITY", "8")
    options = parse(["runner"])[1]
    assert (options.token.reveal(), options.capacity) == ("t", 8)


def test_names_of_settings_that_there_are_not_are_told_with_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, "[contents]\nalow_hidden = true\n")
    environ = {"PERIJOVE_RUNNER_CUL_BUSY": "true", "PERIJOVE_PROT": "1", "PERIJOVE_PORT": "1"}
    found = {problem.text: problem.is_error for problem in _problems(path, environ)}
    assert found == {
        f"{path}: [contents] has no alow_hidden; did you mean allow_hidden?": True,
        "nothing reads the variable PERIJOVE_PROT; did you mean PERIJOVE_PORT?": False,
        "nothing reads the variable PERIJOVE_RUNNER_CUL_BUSY; "
        "did you mean PERIJOVE_RUNNER_CULL_BUSY?": False,
    }


def test_values_that_are_none_and_that_count_for_nothing_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "[runner]\nrestart_limit = -1\ncull_busy = true\n")
    environ = {"PERIJOVE_GATEWAY_HTTP_PORT": "1", "PERIJOVE_CONTENTS_LISTEN": "x"}
    found = [problem.text for problem in _problems(path, environ)]
    assert any("[runner] restart_limit: Expected `int` >= 0" in text for text in found)
    assert any("PERIJOVE_GATEWAY_HTTP_PORT" in text and "use --port" in text for text in found)
    assert any("PERIJOVE_CONTENTS_LISTEN counts for nothing" in text for text in found)
    assert len(found) == 3


def _problems(path: str, environ: dict[str, str]) -> list[object]:
    return list(problems(settings(), Configuration.read(Path(path)), environ))


def test_every_value_is_shown_with_its_place_and_no_secret(tmp_path: Path) -> None:
    path = written(tmp_path, '[up]\ntoken = "canary"\n[runner]\ncull_idle_timeout_s = 60\n')
    environ = {
        "PERIJOVE_REDIS_URL": "redis://:canary@h",
        "PERIJOVE_BASE_URL": "/x/",
        "PERIJOVE_KERNELS_API_TOKEN": "canary",
    }
    file = Configuration.read(Path(path))
    lines = [*shown(settings(), file, environ, ["--ip", "localhost"])]
    text = "\n".join(lines)
    assert "canary" not in text
    places = {line.partition(" = ")[0]: line.partition("# ")[2] for line in lines}
    assert places["token"] == places["cull_idle_timeout_s"] == path
    assert places["base-url"] == "PERIJOVE_BASE_URL"
    assert places["ip"] == "the command line"
    assert places["allow_hidden"] == "default"


def test_what_is_shown_can_be_a_file(tmp_path: Path) -> None:
    lines = [*shown(settings(), Configuration(), {}, [])]
    path = written(tmp_path, "\n".join(lines))
    assert not _problems(path, {})
    assert parse(["up"])[1].ports


def test_every_setting_says_what_it_is_for() -> None:
    assert not [setting.variable for setting in settings() if not setting.says]


def test_the_options_of_a_runner_are_shown_with_their_places(tmp_path: Path) -> None:
    path = written(tmp_path, "join:\n  join: h:1\n  token: canary\n", "perijove.yaml")
    environ = {"PERIJOVE_JOIN_CAPACITY": "7"}
    lines = [*shown(settings(), Configuration.read(Path(path)), environ, [])]
    shown_of_join = lines[lines.index("\n[join]") : lines.index("\n[contents]")]
    places = {line.partition(" = ")[0]: line.partition("# ")[2] for line in shown_of_join}
    assert places["join"] == f"{path}, line 2"
    assert places["capacity"] == "PERIJOVE_JOIN_CAPACITY"
    assert places["keep-kernels"] == "default"
    assert "canary" not in "\n".join(lines)
