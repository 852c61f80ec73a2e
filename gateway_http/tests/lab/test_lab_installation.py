from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest
from perijove_chassis.errors import NotFound
from perijove_gateway_http.lab import json5_text
from perijove_gateway_http.lab.config import ConfigFiles, merge
from perijove_gateway_http.lab.frontend import Frontend
from perijove_gateway_http.lab.installation import Installation
from perijove_gateway_http.lab.packages import package_model, semver
from perijove_gateway_http.lab.page_config import Place, Site

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_gateway_http.lab.apps import FrontEndApp

    from gateway_http.tests.lab.running_edge import Write

SITE = Site("/", "", (2, 0, 0), terminals_available=False)
PLUGIN = "@me/ext:plugin"
SCHEMA = {
    "title": "Me",
    "type": "object",
    "properties": {
        "count": {"type": "number", "default": 1},
        "nested": {"type": "object", "default": {"a": 1, "b": 2}},
    },
}


def extension(
    installation: Installation,
    write: Write,
    name: str,
    *,
    root: int = 0,
    lab: dict[str, object] | None = None,
    **package: object,
) -> Path:
    directory = installation.labextensions_path[root] / name
    lab = {"_build": {"load": "static/remoteEntry.js", "extension": "./extension"}, **(lab or {})}
    write(
        directory / "package.json", {"name": name, "version": "1.0.0", "jupyterlab": lab, **package}
    )
    return directory


def test_the_server_of_jupyterlab_stays_out_of_the_process() -> None:
    code = (
        "import sys; from perijove_gateway_http.lab.frontend import Frontend;"
        "from perijove_gateway_http.lab.installation import Installation;"
        "f = Frontend(Installation.find({})); f.packs; f.schemas.all();"
        "heavy = {'tornado', 'jupyter_server', 'jupyterlab_server', 'jupyterlab', 'jsonschema'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "[]"


def test_another_application_directory_can_be_named(tmp_path: Path) -> None:
    assert Installation.find({"JUPYTERLAB_DIR": str(tmp_path)}).app_dir == tmp_path


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": 1}, {"a": 1}),
        ({}, {"a": None, "b": {}}, {}),
    ],
)
def test_layers_merge_key_by_key(
    below: dict[str, object], above: dict[str, object], expected: object
) -> None:
    merge(below, above)
    assert below == expected


def test_the_user_s_configuration_lies_on_top_of_the_environment_s(
    empty: Installation, write: Write
) -> None:
    user, environment = empty.config_path
    write(environment / "labconfig/page_config.json", {"a": 1, "b": 1, "c": 1})
    write(environment / "labconfig/page_config.d/one.json", {"a": 0, "d": 0})
    write(user / "labconfig/page_config.json", {"b": 2, "c": None})
    assert ConfigFiles(empty.config_path).section("page_config") == {"a": 1, "b": 2, "d": 0}


@pytest.mark.parametrize("text", ["{", "[1]", "", "  ", "\x00"])
def test_configuration_that_cannot_be_used_counts_as_empty(
    empty: Installation, write: Write, text: str
) -> None:
    user, environment = empty.config_path
    write(environment / "labconfig/page_config.json", {"a": 1})
    write(user / "labconfig/page_config.json", text)
    assert ConfigFiles(empty.config_path).section("page_config") == {"a": 1}


def test_a_changed_file_is_read_again(empty: Installation, write: Write) -> None:
    path = empty.config_path[0] / "labconfig/page_config.json"
    files = ConfigFiles(empty.config_path)
    write(path, {"a": 1})
    assert files.section("page_config") == {"a": 1}
    write(path, {"a": 2})
    # Within one tick of the clock, a file of the same size would look the same.
    os.utime(path, ns=(1, 1))
    assert files.section("page_config") == {"a": 2}
    path.unlink()
    assert files.section("page_config") == {}


def test_what_a_reader_does_to_configuration_stays_with_it(
    empty: Installation, write: Write
) -> None:
    path = empty.config_path[0] / "labconfig/page_config.json"
    write(path, {"a": {"b": 1}})
    files = ConfigFiles(empty.config_path)
    files.section("page_config")["a"]["b"] = 2
    assert files.section("page_config") == {"a": {"b": 1}}


def app_of(installation: Installation) -> FrontEndApp:
    assert installation.lab
    return installation.lab


def test_extensions_are_switched_off_by_administrators_users_and_extensions(
    empty: Installation, write: Write
) -> None:
    write(empty.settings_dir / "page_config.json", {"disabledExtensions": ["by-admin", "kept"]})
    user = empty.config_path[0] / "labconfig/page_config.json"
    write(user, {"disabledExtensions": {"by-user": True, "kept": False, "off": True}})
    extension(empty, write, "on", lab={"disabledExtensions": ["by-extension"]})
    extension(empty, write, "off", lab={"disabledExtensions": ["by-switched-off-extension"]})
    config = Frontend(empty).page_config.assemble(app_of(empty), SITE, Place())
    disabled = {"by-admin", "by-user", "by-extension", "off"}
    # The last one asks whether to fetch news, which nobody does here.
    assert set(config["disabledExtensions"]) - disabled == {
        "@jupyterlab/apputils-extension:announcements"
    }
    assert disabled <= set(config["disabledExtensions"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["a", "b", 5], {"a", "b"}), ({"a": True, "b": False}, {"a"}), ("a", set())],
)
def test_what_is_switched_off_may_be_a_list(
    empty: Installation, write: Write, value: object, expected: set[str]
) -> None:
    write(empty.config_path[0] / "labconfig/page_config.json", {"disabledExtensions": value})
    disabled = Frontend(empty).page_config.disabled()
    assert {name for name in disabled if not name.startswith("@jupyterlab/")} == expected


def test_what_an_administrator_locks_and_adds_reaches_the_page(
    empty: Installation, write: Write
) -> None:
    values = {"lockedExtensions": {"a": True, "b": False}, "mine": {"x": True}, "flag": "1"}
    write(empty.config_path[1] / "labconfig/page_config.json", values)
    frontend = Frontend(empty)
    config = frontend.page_config.assemble(app_of(empty), SITE, Place())
    assert config["lockedExtensions"] == ["a"]
    assert config["mine"] == ["x"]
    assert config["flag"] == "1"
    assert frontend.page_config.locked() == ["a"]


def test_of_two_extensions_of_a_name_the_first_one_is_loaded(
    empty: Installation, write: Write
) -> None:
    extension(empty, write, "@me/ext", root=0, description="first")
    extension(empty, write, "@me/ext", root=1, description="second")
    extension(empty, write, "plain", root=1)
    extension(empty, write, "not-built", root=1, jupyterlab={})
    write(empty.labextensions_path[0] / "broken/package.json", "{")
    write(empty.labextensions_path[0] / "nameless/package.json", {"version": "1"})
    frontend = Frontend(empty)
    config = frontend.page_config.assemble(app_of(empty), SITE, Place())
    assert [one["name"] for one in config["federated_extensions"]] == ["@me/ext", "plain"]
    assert config["federated_extensions"][1] == {
        "name": "plain",
        "load": "static/remoteEntry.js",
        "extension": "./extension",
        "entrypoints": None,
    }
    assert frontend.extensions.scan()[0].package["description"] == "first"


def test_the_extension_manager_shows_what_an_extension_says_of_itself(
    empty: Installation, write: Write
) -> None:
    directory = extension(
        empty,
        write,
        "ext",
        lab={"discovery": {"server": {}}},
        author={"name": "Ada"},
        bugs={"url": "https://e.org/bugs"},
        repository={"url": "https://e.org/source"},
        license="MIT",
    )
    write(directory / "install.json", {"packageManager": "python"})
    model = package_model(Frontend(empty).extensions.scan()[0], {"ext"})
    assert model["enabled"] is False
    assert model["companion"] == "server"
    assert model["author"] == "Ada"
    assert model["bug_tracker_url"] == "https://e.org/bugs"
    assert model["homepage_url"] == model["repository_url"] == "https://e.org/source"
    assert model["install"] == {"packageManager": "python"}


@pytest.mark.parametrize(
    ("python", "npm"),
    [("1.2.3", "1.2.3"), ("1.0.0rc1", "1.0.0-rc.1"), ("2.0.0a0.dev1", "2.0.0-alpha.0")],
)
def test_versions_are_written_as_the_front_end_compares_them(python: str, npm: str) -> None:
    assert semver(python) == npm


def test_every_installed_schema_is_found_with_its_version(installed: Installation) -> None:
    schemas = Frontend(installed).schemas
    found = schemas.all()
    assert [one.plugin_id for one in found] == schemas.ids()
    assert schemas.ids() == sorted(schemas.ids(), reverse=True)
    assert "@jupyterlab/notebook-extension:panel" in schemas.ids()
    assert all(one.version != "N/A" for one in found if one.plugin_id.startswith("@jupyterlab/"))
    assert all("package.json" not in one.plugin_id for one in found)


def test_defaults_of_administrators_replace_those_of_schemas(
    empty: Installation, write: Write
) -> None:
    write(empty.schemas_dir / "@me/ext/plugin.json", SCHEMA)
    defaults = {"count": 7, "nested": {"b": 3}, "added": True}
    write(empty.settings_dir / "overrides.d/a.json", {PLUGIN: {"count": 5}})
    write(
        empty.settings_dir / "overrides.json5",
        f"// mine\n{{'{PLUGIN}': {defaults}}}".replace("True", "true"),
    )
    user = empty.config_path[0] / "labconfig/default_setting_overrides.json"
    write(user, {PLUGIN: {"count": 9}})
    properties = Frontend(empty).schemas.get(PLUGIN).parsed["properties"]
    assert properties["count"] == {"type": "number", "default": 9}
    assert properties["nested"]["default"] == {"a": 1, "b": 3}
    assert properties["added"] == {"default": True}


def test_a_schema_of_an_extension_hides_that_of_the_bundle(
    empty: Installation, write: Write
) -> None:
    write(empty.schemas_dir / "@me/ext/plugin.json", {"title": "bundle"})
    directory = extension(empty, write, "@me/ext")
    write(directory / "schemas/@me/ext/plugin.json", {"title": "extension"})
    write(directory / "schemas/@me/ext/package.json.orig", {"version": "1.2.3"})
    schema = Frontend(empty).schemas.get(PLUGIN)
    assert (schema.parsed["title"], schema.version) == ("extension", "1.2.3")


def test_a_schema_without_a_version_or_sense_does_no_harm(
    empty: Installation, write: Write
) -> None:
    write(empty.schemas_dir / "@me/ext/plugin.json", SCHEMA)
    write(empty.schemas_dir / "@me/ext/broken.json", "{")
    schemas = Frontend(empty).schemas
    assert [(one.plugin_id, one.version) for one in schemas.all()] == [(PLUGIN, "N/A")]
    with pytest.raises(NotFound):
        schemas.get("@me/ext:broken")


@pytest.mark.parametrize(
    "plugin_id", ["nope", "a:b:c", "@me/ext:../ext/plugin", "../schemas/@me/ext:plugin", "@me/ext:"]
)
def test_only_ids_of_what_is_installed_are_known(
    empty: Installation, write: Write, plugin_id: str
) -> None:
    write(empty.schemas_dir / "@me/ext/plugin.json", SCHEMA)
    with pytest.raises(NotFound) as caught:
        Frontend(empty).schemas.get(plugin_id)
    assert str(empty.app_dir) not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("// comment\n{a: 1,}", {"a": 1}),
        ("{'a': +.5, /* b */ b: 0x10}", {"a": 0.5, "b": 16}),
        ('"text"', "text"),
    ],
)
def test_json5_is_read_with_all_its_liberties(text: str, value: object) -> None:
    assert json5_text.loads(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "{a:}", "// only", "[" * 100_000, "{a:1}" + " " * json5_text.MAX_JSON5_BYTES, "\ud800"],
)
def test_what_is_no_json5_is_refused_at_once(text: str) -> None:
    with pytest.raises(json5_text.Json5Error):
        json5_text.loads(text)


def test_plain_json_may_be_larger_than_json5() -> None:
    value = {"a": "x" * json5_text.MAX_JSON5_BYTES}
    assert json5_text.loads(msgspec.json.encode(value).decode()) == value
