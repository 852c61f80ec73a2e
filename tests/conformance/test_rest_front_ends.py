"""The pages of front ends, what they are told, and what they ask about their installation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.differences import differs_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.client import Answer, Server

PAGES = {
    "lab": {"mode": "multiple-document", "workspace": "default", "treePath": ""},
    "lab/tree/a.txt": {"treePath": "a.txt"},
    "lab/tree/d/c.txt": {"treePath": "d/c.txt"},
    "lab/workspaces/w-1_a": {"workspace": "w-1_a", "mode": "multiple-document"},
    "lab/workspaces/w/tree/d": {"workspace": "w", "treePath": "d"},
    "doc": {"mode": "single-document"},
    "doc/tree/a.txt": {"mode": "single-document", "treePath": "a.txt"},
    "doc/workspaces/w/tree/d": {"mode": "single-document", "workspace": "w", "treePath": "d"},
    "lab/nope": {"notFoundUrl": "/lab/nope"},
    "lab/api/nope": {"notFoundUrl": "/lab/api/nope"},
    "lab/workspaces/a.b": {"notFoundUrl": "/lab/workspaces/a.b"},
    "tree": {"notebookPage": "tree", "treePath": ""},
    "tree/": {"notebookPage": "tree", "treePath": ""},
    "tree/d": {"notebookPage": "tree", "treePath": "d"},
    "notebooks/n.ipynb": {"notebookPage": "notebooks"},
    "notebooks/nope.ipynb": {"notebookPage": "notebooks"},
    "edit/a.txt": {"notebookPage": "edit"},
    "consoles/x": {"notebookPage": "consoles"},
    "terminals/x": {"notebookPage": "terminals"},
}
"""What each page is told about itself."""

_TEXTS = (
    "appName appNamespace appVersion appUrl appSettingsDir schemasDir staticDir templatesDir"
    " themesDir userSettingsDir workspacesDir labextensionsUrl licensesUrl listingsUrl settingsUrl"
    " themesUrl translationsApiUrl treeUrl workspacesApiUrl fullAppUrl fullLabextensionsUrl"
    " fullLicensesUrl fullListingsUrl fullSettingsUrl fullThemesUrl fullTranslationsApiUrl"
    " fullTreeUrl fullWorkspacesApiUrl fullStaticUrl fullMathjaxUrl mathjaxConfig notebookVersion"
    " serverRoot preferredPath baseUrl wsUrl token rootUri virtualDocumentsUri mode workspace"
)
_SWITCHES = (
    "terminalsAvailable quitButton devMode buildAvailable buildCheck cacheFiles copyAbsolutePath"
    " notebookStartsKernel exposeAppInBrowser allow_hidden_files delete_to_trash nbclassic_enabled"
)
_LISTS = (
    "labextensionsPath extraLabextensionsPath disabledExtensions ignorePlugins"
    " federated_extensions untracked_message_types"
)
CONFIG: dict[str, type] = {
    **dict.fromkeys(_TEXTS.split(), str),
    **dict.fromkeys(_SWITCHES.split(), bool),
    **dict.fromkeys(_LISTS.split(), list),
    "extensionManager": dict,
    "news": dict,
    "store_id": int,
}
"""Every key that pages have without an owner's doing, and the type of its value."""

API = "lab/api"
LISTINGS = f"{API}/listings/@jupyterlab/extensionmanager-extension/listings.json"
DARK = f"{API}/themes/@jupyterlab/theme-dark-extension/index.css"


def config_of(answer: Answer) -> dict[str, Any]:
    """Return what a page is told."""
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    pattern = rb'<script id="jupyter-config-data" type="application/json">(.*?)</script>'
    found = re.search(pattern, answer.body, re.DOTALL)
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config


@pytest.mark.parametrize("path", PAGES)
def test_a_page_knows_what_it_is_for(server: Server, tree: Path, path: str) -> None:
    assert tree
    config = config_of(server.ask("GET", path))
    assert {key: config[key] for key in PAGES[path]} == PAGES[path]


@pytest.mark.parametrize("path", ["lab", "tree"])
def test_a_page_is_told_everything_in_the_types_that_front_ends_read(
    server: Server, path: str
) -> None:
    config = config_of(server.ask("GET", path))
    assert {key: type(config.get(key)) for key in CONFIG} == CONFIG
    assert set(config["extensionManager"]) == {"name", "can_install", "install_path"}
    assert set(config["news"]) == {"disabled"}
    assert {type(one) for one in json.loads(config["notebookVersion"])} == {int}
    for one in config["federated_extensions"]:
        assert set(one) >= {"name", "load"}
        assert server.ask("GET", f"lab/extensions/{one['name']}/{one['load']}").status == 200


def test_both_front_ends_share_what_is_kept(server: Server) -> None:
    lab, notebook = (config_of(server.ask("GET", path)) for path in ("lab", "tree"))
    shared = [key for key in CONFIG if key.endswith("Url") and key != "fullStaticUrl"]
    assert {key: lab[key] for key in shared} == {key: notebook[key] for key in shared}
    assert (lab["appNamespace"], notebook["appNamespace"]) == ("lab", "notebook")
    assert (lab["fullStaticUrl"], notebook["fullStaticUrl"]) == ("/static/lab", "/static/notebook")


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("lab/", 301, "/lab"),
        ("doc/", 302, "/doc"),
        ("lab/tree/a/", 301, "/lab/tree/a"),
        ("tree/n.ipynb", 302, "/notebooks/n.ipynb"),
        ("tree/a.txt", 302, "/files/a.txt"),
        ("notebooks", 302, "/tree"),
        ("notebooks/", 302, "/tree"),
        ("notebooks/d", 302, "/tree/d"),
    ],
)
def test_an_address_leads_to_the_page_that_is_meant(
    server: Server, tree: Path, path: str, status: int, location: str
) -> None:
    assert tree
    answer = server.ask("GET", path)
    assert (answer.status, answer.headers["Location"]) == (status, location)


def test_a_directory_that_is_not_there_or_hidden_has_no_page(server: Server, tree: Path) -> None:
    (tree / ".hidden").mkdir()
    for path in ("tree/nope", "tree/.hidden"):
        answer = server.ask("GET", path)
        assert (answer.status, answer.kind) == (404, "html"), path


@pytest.mark.parametrize("path", ["lab", "doc", "lab/nope", "tree", "notebooks/x", "edit/x"])
def test_pages_are_for_users_and_cannot_be_changed(server: Server, path: str) -> None:
    answer = server.ask("GET", path, token=None)
    assert answer.status == 302
    assert answer.headers["Location"].startswith("/login?next=%2F")
    assert server.ask("POST", path).status == 405


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("translations", {"data": {"en": {"displayName": "English", "nativeName": "English"}}}),
        ("translations/", {"data": {"en": {"displayName": "English", "nativeName": "English"}}}),
        ("translations/en", {"data": {}, "message": "Language pack 'en' not installed!"}),
        ("translations/default", {"data": {}}),
        ("translations/xx_YY", {"data": {}, "message": "Language pack 'xx_YY' not valid!"}),
        ("build", {"status": "stable", "message": ""}),
    ],
)
def test_what_is_installed_is_told(server: Server, path: str, expected: dict[str, Any]) -> None:
    answer = server.ask("GET", f"{API}/{path}")
    assert (answer.status, answer.kind) == (200, "json")
    assert {key: answer.json[key] for key in expected} == expected
    assert server.ask("GET", f"{API}/{path}", token=None).status == 403


def test_listings_have_four_lists(server: Server) -> None:
    names = ("blocked_extensions", "allowed_extensions")
    expected = {key: [] for name in names for key in (f"{name}_uris", name)}
    assert server.ask("GET", LISTINGS).json == expected
    assert server.ask("GET", f"{API}/listings/nope").status == 400


def test_a_theme_is_a_stylesheet_whose_pictures_are_found(server: Server) -> None:
    answer = server.ask("GET", DARK)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/css")
    for address in re.findall(rb"url\(['\"]?([^'\")]+)", answer.body):
        if not address.startswith((b"data:", b"#")):
            assert address.startswith(b"/lab/api/themes/")
            assert server.ask("GET", address.decode()).status == 200
    assert server.ask("HEAD", DARK).status == 200
    assert server.ask("GET", f"{API}/themes/nope.css").status == 404
    public = server.ask("GET", DARK, token=None).status
    assert public == (200 if differs_in(server, "themes are for everybody") else 302)


@pytest.mark.parametrize(
    ("query", "media_type", "begins"),
    [
        ("", "application/json", b'{\n  "bundles": {'),
        ("?format=json&bundles=nope", "application/json", b'{\n  "bundles": {}\n}'),
        ("?format=csv", "text/csv", b"bundle,name,versionInfo,licenseId,extractedText\r\n"),
        ("?format=markdown&bundles=jupyterlab_pygments", "text/markdown", b"# jupyterlab_pygments"),
    ],
)
def test_licences_are_reported(server: Server, query: str, media_type: str, begins: bytes) -> None:
    answer = server.ask("GET", f"{API}/licenses/{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)
    assert answer.body.startswith(begins)


def test_extensions_are_listed_in_pages(server: Server) -> None:
    answer = server.ask("GET", f"{API}/extensions?page=1&per_page=30")
    (pygments,) = [one for one in answer.json if "pygments" in one["name"]]
    types = {
        **dict.fromkeys(("name", "description", "homepage_url", "pkg_type"), str),
        **dict.fromkeys(("installed_version", "latest_version", "status"), str),
        **dict.fromkeys(("enabled", "installed", "core", "allowed"), bool),
        "install": dict,
    }
    assert {key: type(pygments[key]) for key in types} == types
    assert set(re.findall(r'rel="(\w+)"', answer.headers["Link"])) == {"first", "last"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("extensions", {"cmd": "nope", "extension_name": "x"}),
        ("extensions", {"cmd": "enable", "extension_name": ""}),
        ("plugins", {"cmd": "nope", "plugin_name": "x"}),
        ("plugins", {"cmd": "enable", "plugin_name": ""}),
    ],
)
def test_what_is_no_instruction_is_refused(server: Server, path: str, body: object) -> None:
    assert server.ask("POST", f"{API}/{path}", json=body).status == 422


def test_plugins_have_rules(server: Server) -> None:
    expected = not differs_in(server, "plug-ins may be switched")
    assert server.ask("GET", f"{API}/plugins").json == {"lockRules": [], "allLocked": expected}


def test_files_of_bundles_and_extensions_are_for_everybody(server: Server) -> None:
    for path in ("lab", "tree"):
        (script,) = re.findall(rb'<script defer[^>]*src="([^"]+)"', server.ask("GET", path).body)
        answer = server.ask("GET", script.decode(), token=None)
        assert answer.status == 200
        assert "javascript" in answer.headers["Content-Type"]
    for path, status in (
        ("lab/extensions/jupyterlab_pygments/package.json", 200),
        ("lab/extensions/nope.js", 404),
        ("static/lab/nope.js", 404),
        ("static/notebook/nope.js", 404),
        ("static/favicons/favicon.ico", 200),
        ("favicon.ico", 200),
    ):
        assert server.ask("GET", path, token=None).status == status, path


def test_the_users_own_style_is_served(server: Server) -> None:
    answer = server.ask("GET", "custom/custom.css")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/css")
    assert server.ask("GET", "custom/custom.css", token=None).status == 302
    assert server.ask("GET", "custom/nope.css").status == 404
    if server.config is None:
        pytest.skip("the server's configuration is out of reach")
    place = server.config / "custom" / "custom.css"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("body { color: red }")
    assert server.ask("GET", "custom/custom.css").body == b"body { color: red }"
    place.unlink()


def test_language_servers_are_told_of(server: Server) -> None:
    status = server.ask("GET", "lsp/status").json
    assert status["version"] == 2
    assert (type(status["sessions"]), type(status["specs"])) == (dict, dict)
