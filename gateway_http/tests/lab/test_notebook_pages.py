from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway_http.tests.lab.test_lab_pages import page

if TYPE_CHECKING:
    from perijove_gateway_http.lab.installation import Installation

    from gateway_http.tests.lab.running_edge import ContentsProcess, Edge, MakeEdge, Write


@pytest.fixture
def tree(contents: ContentsProcess, write: Write) -> None:
    write(contents.directory / "root/d/a b.txt", "x")
    write(contents.directory / "root/d/n.ipynb", {"cells": []})


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("path", "kind", "tree_path"),
    [
        ("tree", "tree", ""),
        ("tree/", "tree", ""),
        ("tree/d", "tree", "d"),
        ("tree/d/", "tree", "d"),
        ("notebooks/d/n.ipynb", "notebooks", ""),
        ("notebooks/never-there.ipynb", "notebooks", ""),
        ("edit", "edit", ""),
        ("edit/d/a%20b.txt", "edit", ""),
        ("consoles/", "consoles", ""),
        ("consoles/d/a", "consoles", ""),
        ("terminals/1", "terminals", ""),
    ],
)
async def test_each_page_says_which_it_is(edge: Edge, path: str, kind: str, tree_path: str) -> None:
    config, _ = await page(edge, path)
    assert (config["notebookPage"], config["treePath"]) == (kind, tree_path)
    assert (config["appName"], config["appNamespace"]) == ("Jupyter Notebook", "notebook")
    assert config["fullStaticUrl"] == "/static/notebook"
    assert config["frontendUrl"] == "/"
    assert config["settingsUrl"] == "/lab/api/settings"
    assert config["token"] == ""


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("tree/d/n.ipynb", "/user/a/notebooks/d/n.ipynb"),
        ("tree/d/a%20b.txt", "/user/a/files/d/a%20b.txt"),
        ("notebooks", "/user/a/tree"),
        ("notebooks/", "/user/a/tree"),
    ],
)
async def test_what_another_page_is_for_leads_there(
    make_edge: MakeEdge, path: str, location: str
) -> None:
    edge = await make_edge(base_url="/user/a/")
    async with edge.get(path) as response:
        assert (response.status, response.headers["Location"]) == (302, location)


@pytest.mark.parametrize("path", ["tree/never-there", "tree/../x", "treex"])
async def test_what_is_not_there_has_no_page(edge: Edge, path: str) -> None:
    assert await edge.raw_status(f"/{path}") == 404


@pytest.mark.parametrize("base_url", ["/", "/user/ada/"])
async def test_everything_that_the_pages_load_is_there(make_edge: MakeEdge, base_url: str) -> None:
    edge = await make_edge(base_url=base_url)
    for path in ("tree", "notebooks/n.ipynb", "edit/x", "consoles/x", "terminals/x"):
        _, scripts = await page(edge, path)
        assert len(scripts.sources) == 1
        assert all("href" in link for link in scripts.links)
        for url in scripts.sources + [link["href"] for link in scripts.links]:
            assert url.startswith(base_url)
            async with edge.get(url.removeprefix(base_url)) as response:
                assert response.status == 200, url


async def test_without_a_user_its_pages_lead_to_the_login(edge: Edge) -> None:
    for path in ("tree", "tree/never-there", "notebooks/x", "edit/x", "consoles/x", "terminals/x"):
        async with edge.get(path, headers={"Authorization": ""}) as response:
            assert response.status == 302, path
            assert response.headers["Location"].startswith("/login?next=")


async def test_without_terminals_there_is_no_page_for_one(make_edge: MakeEdge) -> None:
    edge = await make_edge(terminals=False)
    assert await edge.raw_status("/terminals/1") == 404


async def test_a_front_end_that_is_not_installed_has_no_pages(
    make_edge: MakeEdge, empty: Installation
) -> None:
    edge = await make_edge(installation=empty)
    for path in ("tree", "notebooks/x", "static/notebook/main.js"):
        async with edge.get(path) as response:
            assert response.status == 404, path
            assert "traceback" not in (await response.text()).lower()


async def test_the_users_own_style_comes_with_the_pages_that_it_is_meant_for(
    make_edge: MakeEdge,
) -> None:
    expected = {"auto": ["tree"], "yes": ["lab", "tree"], "no": []}
    for custom_css, pages in expected.items():
        edge = await make_edge(custom_css=custom_css)
        linked = []
        for path in ("lab", "tree"):
            _, scripts = await page(edge, path)
            if any(link["href"] == "/custom/custom.css" for link in scripts.links):
                linked.append(path)
        assert linked == pages


async def test_the_users_own_style_and_its_pictures_are_served(
    make_edge: MakeEdge, empty: Installation, write: Write
) -> None:
    edge = await make_edge(installation=empty)
    async with edge.get("custom/custom.css") as response:
        assert (response.status, await response.text()) == (200, "")
    write(empty.custom_dir / "custom.css", "body { color: red }")
    write(empty.custom_dir / "moon.svg", "<svg/>")
    write(empty.custom_dir / "custom.js", "alert(1)")
    async with edge.get("custom/custom.css") as response:
        assert await response.text() == "body { color: red }"
        assert response.headers["Content-Type"] == "text/css"
    async with edge.get("custom/moon.svg") as response:
        assert response.status == 200
    for path in ("custom/custom.js", "custom/../labconfig/page_config.json", "custom/none"):
        assert await edge.raw_status(f"/{path}") == 404
    async with edge.get("custom/custom.css", headers={"Authorization": ""}) as response:
        assert response.status == 302


async def test_an_application_is_within_reach_of_scripts_only_if_told(make_edge: MakeEdge) -> None:
    for told in (False, True):
        edge = await make_edge(expose_app_in_browser=told)
        for path in ("lab", "tree"):
            config, _ = await page(edge, path)
            assert config["exposeAppInBrowser"] is told


async def test_the_base_url_leads_to_a_front_end_that_is_there(
    make_edge: MakeEdge, installed: Installation
) -> None:
    without_lab = replace(installed, lab=None)
    without_any = replace(installed, lab=None, notebook=None)
    for installation, default_url, expected in (
        (installed, "", "lab"),
        (without_lab, "", "tree"),
        (without_any, "", "lab"),
        (installed, "/tree", "tree"),
        (installed, "lab/tree/a b.ipynb", "lab/tree/a%20b.ipynb"),
    ):
        edge = await make_edge(installation=installation, default_url=default_url, base_url="/u/")
        async with edge.get("?token=x") as response:
            assert response.headers["Location"] == f"/u/{expected}?token=x"
    async with edge.get("lab") as response:
        assert response.status == 200
    edge = await make_edge(installation=without_any)
    async with edge.get("lab") as response:
        assert response.status == 404
        assert "JupyterLab is not installed here" in await response.text()


async def test_owners_may_tell_pages_otherwise_but_not_where_things_are(
    make_edge: MakeEdge, empty: Installation, installed: Installation, write: Write
) -> None:
    told = {
        "appName": "Ada's Lab",
        "terminalsAvailable": False,
        "quitButton": True,
        "baseUrl": "/elsewhere/",
        "fullSettingsUrl": "https://elsewhere",
        "token": "x",
        "federated_extensions": [1],
        "notebookVersion": "[9]",
        "mode": "x",
    }
    write(empty.config_path[0] / "labconfig/page_config.json", told)
    edge = await make_edge(installation=replace(installed, config_path=empty.config_path))
    for path in ("lab", "tree"):
        config, _ = await page(edge, path)
        assert (config["appName"], config["terminalsAvailable"]) == ("Ada's Lab", False)
        assert config["quitButton"] is True
        assert (config["baseUrl"], config["token"]) == ("/", "")
        assert config["fullSettingsUrl"] == "/lab/api/settings"
        assert config["mode"] == "multiple-document"
        assert config["federated_extensions"]
    async with edge.get("lab") as response:
        assert "<title>Ada&#x27;s Lab</title>" in await response.text()
