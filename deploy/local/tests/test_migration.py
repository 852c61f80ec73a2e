from __future__ import annotations

import importlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from perijove_config import documentation
from perijove_config.catalogue import settings
from perijove_config.checking import problems
from perijove_config.migrating import Read, migrated, read
from perijove_config.succession import SAME, TRAITS, successor
from perijove_local.arguments import CommandLine
from perijove_local.configuration import Configuration
from perijove_local.terminal import Failure

CLASSES = (
    "jupyter_server.serverapp.ServerApp",
    "jupyter_server.auth.identity.PasswordIdentityProvider",
    "jupyter_server.services.contents.largefilemanager.AsyncLargeFileManager",
    "jupyter_server.services.contents.filecheckpoints.AsyncFileCheckpoints",
    "jupyter_server.services.kernels.kernelmanager.AsyncMappingKernelManager",
    "jupyter_server.services.kernels.connection.channels.ZMQChannelsWebsocketConnection",
    "jupyter_server.services.sessions.sessionmanager.SessionManager",
    "jupyter_client.KernelManager",
    "jupyter_client.restarter.KernelRestarter",
    "jupyter_client.kernelspec.KernelSpecManager",
    "jupyter_server_terminals.terminalmanager.TerminalManager",
    "nbformat.sign.NotebookNotary",
    "jupyter_server.gateway.gateway_client.GatewayClient",
)

PYTHON = """
import os
c = get_config()
c.ServerApp.base_url = "/hub/" + "ada"
c.ServerApp.ip = "0.0.0.0"
c.ServerApp.open_browser = False
c.ServerApp.tornado_settings = {"headers": {"X-A": "b"}, "xsrf_cookies": True}
c.ServerApp.allow_remote_access = True
c.FileContentsManager.max_copy_folder_size_mb = 1
c.FileContentsManager.hide_globs = ["*.pyc", "*~"]
c.FileContentsManager.pre_save_hook = lambda **kw: None
c.KernelSpecManager.allowed_kernelspecs = {"ir", "python3"}
c.AsyncMappingKernelManager.cull_idle_timeout = 60
c.ServerApp.jpserver_extensions.update({"other": True})
c.MyExtension.a = 1
c.PasswordIdentityProvider.hashed_password = "argon2:canary"
c.IdentityProvider.cookie_name = "login"
c.IdentityProvider.cookie_options = {"SameSite": "Strict"}
print("hello")
"""


def moved(found: Read, password_file: str = "") -> tuple[dict[str, Any], str]:
    text = "\n".join(migrated(found, settings(), password_file))
    return tomllib.loads(text), text


@pytest.mark.parametrize("name", CLASSES)
def test_every_trait_of_a_jupyter_server_has_a_line(name: str) -> None:
    module, _, cls = name.rpartition(".")
    traits = getattr(importlib.import_module(module), cls).class_traits(config=True)
    known = TRAITS[SAME.get(cls.removeprefix("Async"), cls.removeprefix("Async"))]
    assert not set(traits) - set(known)
    assert all(successor(cls, trait) == known[trait] for trait in traits)


def test_what_is_said_to_follow_is_there() -> None:
    there = {(setting.process, setting.name) for setting in settings()}
    there |= {("up", name.replace("_", "-")) for name in CommandLine().up.names}
    following = {
        (one.table, one.name) for traits in TRAITS.values() for one in traits.values() if one.table
    }
    assert following <= there
    assert all(one.table or one.why for traits in TRAITS.values() for one in traits.values())


def test_a_program_is_read_and_what_it_says_kept(tmp_path: Path) -> None:
    path = tmp_path / "jupyter_server_config.py"
    path.write_text(PYTHON)
    tables, text = moved(read([str(path)]))
    assert tables == {
        "up": {"base-url": "/hub/ada", "ip": "0.0.0.0", "browser": False},
        "contents": {"max_copy_bytes": 1024 * 1024, "hide_globs": ["*.pyc", "*~"]},
        "runner": {"allowed_kernelspecs": ["ir", "python3"], "cull_idle_timeout_s": 60},
        "gateway_http": {
            "headers": {"X-A": "b"},
            "allow_remote_access": "yes",
            "cookie_name": "login",
            "cookie_options": {"SameSite": "Strict"},
        },
    }
    assert "# FileContentsManager.pre_save_hook: an entry point" in text
    assert "# ServerApp.jpserver_extensions: extensions in Python" in text
    assert "# MyExtension.a: a part of another package" in text
    assert "canary" not in text
    out = tmp_path / "perijove.toml"
    out.write_text(text)
    assert not list(problems(settings(), Configuration.read(out), {}))


def test_a_stored_password_is_carried_over(tmp_path: Path) -> None:
    path, file = tmp_path / "jupyter_server_config.json", tmp_path / "password"
    path.write_text(json.dumps({"PasswordIdentityProvider": {"hashed_password": "argon2:x"}}))
    tables, text = moved(read([str(path)]), str(file))
    assert tables["up"]["password-file"] == str(file)
    assert file.read_text() == "argon2:x\n"
    assert file.stat().st_mode & 0o077 == 0
    assert "argon2" not in text
    with pytest.raises(Failure, match="cannot be written"):
        moved(read([str(path)]), str(file))


def test_files_of_the_usual_places_are_read_the_best_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "user"):
        (tmp_path / name / "jupyter_server_config.d").mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "first"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "user"))
    for directory, port in (("user", 1), ("first", 2)):
        path = tmp_path / directory / "jupyter_server_config.json"
        path.write_text(json.dumps({"ServerApp": {"port": port}}))
    extra = tmp_path / "user" / "jupyter_server_config.d" / "x.json"
    extra.write_text(json.dumps({"ServerApp": {"base_url": "/x/", "port": 3}}))
    found = read([])
    traits = found.sections["ServerApp"]
    assert (traits["port"], traits["base_url"]) == (2, "/x/")
    assert found.read[-1] == str(tmp_path / "first" / "jupyter_server_config.json")


@pytest.mark.parametrize(
    ("text", "says"),
    [("1 / 0", "ZeroDivisionError"), ("import sys; sys.exit(3)", "SystemExit: 3"), ("(", "Syntax")],
)
def test_a_program_that_fails_is_told(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "jupyter_server_config.py"
    path.write_text(text)
    with pytest.raises(Failure, match=says):
        read([str(path)])
    with pytest.raises(Failure, match="cannot be read"):
        read([str(tmp_path / "absent.py")])


def test_what_a_kernel_gateway_was_told_is_kept() -> None:
    app = {
        "auth_token": "x",
        "allow_credentials": "true",
        "allow_headers": "X-A",
        "max_age": "60",
        "expose_headers": "",
        "max_kernels": 5,
        "prespawn_count": 2,
        "default_kernel_name": "",
        "force_kernel_name": "ir",
        "env_process_whitelist": ["A", "B"],
        "seed_uri": "seed.ipynb",
    }
    other = {"list_kernels": False, "env_whitelist": ["TEAM"]}
    found = Read(("x",), {"KernelGatewayApp": app, "JupyterWebsocketPersonality": other})
    tables, text = moved(found)
    assert tables == {
        "up": {"token": "x", "max-kernels": 5, "warm": "python3:2"},
        "kernels": {"forced_kernelspec": "ir"},
        "runner": {"inherited_envs": ["A", "B"]},
        "gateway_http": {
            "allow_credentials": True,
            "headers": {
                "Access-Control-Allow-Headers": "X-A",
                "Access-Control-Max-Age": "60",
            },
            "list_kernels": False,
            "allowed_envs": ["TEAM"],
        },
    }
    assert "# KernelGatewayApp.seed_uri: a kernelspec can" in text
    assert "# KernelGatewayApp.expose_headers: one of several" in text


def test_a_value_that_its_successor_cannot_have_is_told() -> None:
    found = Read(("x",), {"KernelRestarter": {"restart_limit": -1}, "ServerApp": {"port": [1, {}]}})
    tables, text = moved(found)
    assert "runner" not in tables
    assert "# KernelRestarter.restart_limit: Expected `int` >= 0" in text


def test_the_documentation_has_the_same_table() -> None:
    path = Path(__file__).parents[3] / "docs" / "configuration.md"
    assert path.read_text() == documentation.with_table(path.read_text())
