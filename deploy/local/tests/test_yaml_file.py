from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from perijove_config.catalogue import settings
from perijove_config.checking import problems
from perijove_local.configuration import Configuration, find
from perijove_local.options import parse
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from pathlib import Path

TOML = """
[up]
base-url = "/x/"
browser = false
port = 1001
token = ""
[contents]
hide_globs = ["*.pyc", "*~"]
[gateway_http]
headers = { "X-A" = "b", "X-B" = "3" }
cookie_options = { Secure = true, max_age = 5 }
allow_remote_access = "no"
[runner]
cull_idle_timeout_s = 60.5
"""
YAML = """
up:
  base-url: /x/
  browser: false   # a remark
  port: 1001
  token: ""
contents:
  hide_globs: ["*.pyc", "*~"]
gateway_http:
  headers:
    X-A: b
    X-B: "3"
  cookie_options: {Secure: true, max_age: 5}
  allow_remote_access: no
runner:
  cull_idle_timeout_s: 60.5
kernels:
"""


def read(tmp_path: Path, text: str, name: str = "x.yaml") -> Configuration:
    path = tmp_path / name
    path.write_text(text)
    return Configuration.read(path)


def test_yaml_says_what_toml_says(tmp_path: Path) -> None:
    yaml, toml = read(tmp_path, YAML), read(tmp_path, TOML, "x.toml")
    assert {**yaml.tables} == {**toml.tables, "kernels": {}}
    assert yaml.variables() == toml.variables()
    assert yaml.place("up", "base_url") == f"{yaml.path}, line 3"
    assert toml.place("up", "base_url") == str(toml.path)
    assert not list(problems(settings(), yaml, {}))
    options = parse(["up", "--config", str(yaml.path)])[1]
    assert (options.base_url, options.browser, options.token) == ("/x/", False, "")


def test_values_are_what_they_look_like(tmp_path: Path) -> None:
    text = "up:\n  sock-mode: 0600\n  ip: 1:20\n  port: 010\n  warm: python3:2\n  token: no\n"
    found = read(tmp_path, text).of("up")
    assert {**found} == {
        "sock_mode": "0600",
        "ip": "1:20",
        "port": "010",
        "warm": "python3:2",
        "token": "no",
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n", "---\n...\n"])
def test_a_file_may_say_nothing(text: str, tmp_path: Path) -> None:
    assert not read(tmp_path, text).tables


BOMB = "up: &a [x, x]\n" + "".join(f"b{i}: [*a, *a]\n" for i in range(9))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("up:\n  port: 1\n  port: 2\n", "line 3: port is there twice"),
        ("up:\n  a-b: 1\n  a_b: 2\n", r"line 3: \[up\] says a_b twice"),
        ("up: {}\nrunner: {}\nup: {}\n", "line 3: up is there twice"),
        ("upp:\n  port: 1\n", r"line 1: there is no table \[upp\]"),
        ("up:\n\n  token:\n", "line 3: token has no value; '' is an empty one"),
        ("up:\n  token: ~\n", "line 2: token has no value"),
        ("up: 5\n", "line 1: there are to be names and their values"),
        ("- up\n", "line 1: there are to be names and their values"),
        ("x\n", "line 1: there are to be names and their values"),
        ("up: [1]\n", "line 1: there are to be names"),
        (BOMB, "line 1: anchors and aliases are not read"),
        ("up:\n  <<: *x\n", "line 2: anchors and aliases are not read"),
        ("up:\n  ip: !!python/object/apply:os.getcwd []\n", "line 2: the tag .* is not read"),
        ("up: !!map {}\n", "line 1: the tag .* is not read"),
        ("up: {}\n---\nup: {}\n", "line 2: there is to be one document"),
        ("up:\n  ? [a]\n  : 1\n", "line 2: a name is to be a text"),
        ("up:\n  ip: [a\nrunner: {}\n", "line 3: "),
        ("up:\n\tport: 1\n", "line 2: "),
        ("up:\n  ip: 'a\x07'\n", "line 2: .* cannot be in YAML"),
        (f"up:\n  ip: {'[' * 5000}{']' * 5000}\n", "line 2: there is too much in one another"),
        ("up:\n  ip: [[a], b]\n", r"line 2: \[up\] ip must be a text"),
        ("gateway_http:\n  headers: {a: ~}\n", "line 2: a has no value"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(Failure, match=f"x.yaml, {says}"):
        read(tmp_path, text)


def test_wrong_names_and_values_are_told_with_the_line(tmp_path: Path) -> None:
    text = "runner:\n  cul_busy: true\n  restart_limit: -1\n  cull_busy: maybe\n"
    found = [problem.text for problem in problems(settings(), read(tmp_path, text), {})]
    assert any("line 2: [runner] has no cul_busy; did you mean cull_busy?" in one for one in found)
    assert any("line 3: [runner] restart_limit: Expected `int` >= 0" in one for one in found)
    assert any("line 4: [runner] cull_busy: Expected `bool`" in one for one in found)
    read(tmp_path, "up:\n  port: x\n")
    with pytest.raises(Failure, match=r"line 2: x is not a port"):
        parse(["up", "--config", str(tmp_path / "x.yaml")])


def test_of_two_files_in_one_place_none_is_taken(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    directory = tmp_path / "perijove"
    directory.mkdir()
    (directory / "perijove.yaml").write_text("up:\n  port: 1\n")
    assert find(None, environ).of("up")["port"] == "1"
    (directory / "perijove.toml").write_text("[up]\nport = 2\n")
    with pytest.raises(Failure, match="keep one"):
        find(None, environ)
