from __future__ import annotations

import html.parser
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from perijove_gateway_http.lab.page import embed

if TYPE_CHECKING:
    from perijove_gateway_http.lab.installation import Installation

    from gateway_http.tests.lab.running_edge import Edge, MakeEdge, Write


class Scripts(html.parser.HTMLParser):
    """Collects the scripts of a page as a browser finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.data, self.sources, self.plain, self.links = "", [], [], []
        self._in = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "link":
            self.links.append(given)
        if tag == "script":
            self._in = given.get("id", "plain")
            if "src" in given:
                self.sources.append(given["src"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in == "jupyter-config-data":
            self.data += data
        elif self._in == "plain":
            self.plain.append(data)


async def page(edge: Edge, path: str) -> tuple[dict[str, Any], Scripts]:
    async with edge.get(path) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "text/html"
        parser = Scripts()
        parser.feed(await response.text())
        return msgspec.json.decode(parser.data), parser


async def test_the_page_tells_the_front_end_everything_it_asks_for(edge: Edge) -> None:
    config, _ = await page(edge, "lab")
    urls = "app labextensions licenses listings settings themes translationsApi tree workspacesApi"
    for name in urls.split():
        assert config[f"{name}Url"].startswith("/lab")
        assert config[f"full{name[0].upper()}{name[1:]}Url"] == config[f"{name}Url"]
    assert config["baseUrl"] == "/"
    assert config["wsUrl"] == ""
    assert config["token"] == ""
    assert config["appVersion"]
    assert config["fullStaticUrl"] == "/static/lab"
    assert config["mode"] == "multiple-document"
    assert config["workspace"] == "default"
    assert config["treePath"] == ""
    assert config["preferredPath"] == "/"
    assert config["terminalsAvailable"] is True
    assert config["news"] == {"disabled": True}
    assert config["extensionManager"]["can_install"] is False
    assert isinstance(config["disabledExtensions"], list)
    assert "notFoundUrl" not in config


async def test_the_version_is_a_text_of_numbers_as_the_api_says_it(edge: Edge) -> None:
    config, _ = await page(edge, "lab")
    api = await edge.json("api")
    numbers = msgspec.json.decode(config["notebookVersion"])
    assert ".".join(str(number) for number in numbers) == api["version"]


@pytest.mark.parametrize("base_url", ["/", "/user/ada/", "/a@b/"])
async def test_everything_that_the_page_loads_is_there(make_edge: MakeEdge, base_url: str) -> None:
    edge = await make_edge(base_url=base_url)
    config, scripts = await page(edge, "lab")
    extensions = [
        f"{config['fullLabextensionsUrl']}/{one['name']}/{one['load']}"
        for one in config["federated_extensions"]
    ]
    assert scripts.sources
    assert extensions
    for url in scripts.sources + extensions:
        assert url.startswith(base_url)
        async with edge.get(url.removeprefix(base_url), headers={"Authorization": ""}) as response:
            assert response.status == 200, url
            assert response.headers["Content-Type"] == "text/javascript"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lab/tree/notes/lorenz.ipynb", {"treePath": "notes/lorenz.ipynb"}),
        ("lab/tree/notes%2Florenz.ipynb", {"treePath": "notes/lorenz.ipynb"}),
        ("lab/tree/100%25.txt", {"treePath": "100%.txt"}),
        ("lab/tree/a%252Fb", {"treePath": "a%2Fb"}),
        ("lab/tree/%C3%A9t%C3%A9.md", {"treePath": "été.md"}),
        ("lab/workspaces/two", {"workspace": "two"}),
        ("lab/workspaces/t-w_0/tree/a.txt", {"workspace": "t-w_0", "treePath": "a.txt"}),
        ("doc", {"mode": "single-document"}),
        ("doc/tree/a.ipynb", {"mode": "single-document", "treePath": "a.ipynb"}),
        ("doc/workspaces/w/tree/a.ipynb", {"workspace": "w", "treePath": "a.ipynb"}),
        ("lab/nope", {"notFoundUrl": "/lab/nope", "workspace": "default"}),
        ("lab/api/nope", {"notFoundUrl": "/lab/api/nope"}),
        ("lab/workspaces/a.b", {"notFoundUrl": "/lab/workspaces/a.b"}),
        ("lab/workspaces/a%2Fb", {"notFoundUrl": "/lab/workspaces/a%2Fb"}),
    ],
)
async def test_an_address_says_what_the_page_is_for(
    edge: Edge, path: str, expected: object
) -> None:
    config, _ = await page(edge, path)
    assert {key: config[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("lab/", "/lab"),
        ("lab/tree/", "/lab/tree"),
        ("lab/tree/a/?reset", "/lab/tree/a?reset"),
        ("lab/workspaces/w/", "/lab/workspaces/w"),
        ("doc/tree/a/", "/doc/tree/a"),
    ],
)
async def test_a_slash_at_the_end_leads_to_the_page_without(
    edge: Edge, path: str, location: str
) -> None:
    async with edge.get(path) as response:
        assert response.status == 301
        assert response.headers["Location"] == location


@pytest.mark.parametrize("path", ["lab", "lab/tree/a", "lab/nope", "doc", "lab/api/themes/x.css"])
async def test_without_a_user_a_page_leads_to_the_login(edge: Edge, path: str) -> None:
    async with edge.get(path, headers={"Authorization": ""}) as response:
        assert response.status == 302
        assert response.headers["Location"].startswith("/login?next=")


async def test_scripts_can_read_the_cookie_that_they_must_repeat(edge: Edge) -> None:
    async with edge.get("lab") as response:
        cookie = response.cookies["_xsrf"]
    assert cookie.value
    assert not cookie["httponly"]
    assert cookie["path"] == "/"
    async with edge.get("lab", headers={"Cookie": f"_xsrf={cookie.value}"}) as response:
        assert "_xsrf" not in response.cookies


async def test_an_address_cannot_put_a_script_into_the_page(edge: Edge) -> None:
    attack = "%3C/script%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    config, scripts = await page(edge, f"lab/tree/{attack}")
    assert config["treePath"] == "</script><script>alert(1)</script>"
    assert not [text for text in scripts.plain if "alert" in text]


def test_embedded_json_holds_nothing_that_ends_a_script_or_a_line() -> None:
    value = {"a</script>": "<!-- & \u2028\u2029 -->"}
    text = embed(value)
    assert not re.search("[<>&\u2028\u2029]", text)
    assert msgspec.json.decode(text) == value


async def test_an_address_that_is_no_utf8_is_refused(edge: Edge) -> None:
    async with edge.get("lab/tree/%ff") as response:
        assert response.status == 400


async def test_a_missing_bundle_is_said_without_naming_places(
    make_edge: MakeEdge, empty: Installation
) -> None:
    edge = await make_edge(installation=empty)
    async with edge.get("lab") as response:
        text = await response.text()
    assert response.status == 500
    assert "not installed" in text
    assert str(empty.app_dir) not in text


async def test_a_bundle_without_an_entry_is_said(
    make_edge: MakeEdge, empty: Installation, write: Write
) -> None:
    write(empty.static_dir / "index.html", "<html>")
    edge = await make_edge(installation=empty)
    async with edge.get("lab") as response:
        assert response.status == 500


async def test_the_page_is_not_kept_by_caches(edge: Edge) -> None:
    async with edge.get("lab") as response:
        assert response.headers["Cache-Control"] == "no-store"


async def test_the_root_directory_is_shown_to_the_user(make_edge: MakeEdge) -> None:
    edge = await make_edge(server_root="/home/ada/my work")
    config, _ = await page(edge, "lab")
    assert config["serverRoot"] == "/home/ada/my work"
    assert config["rootUri"] == "file:///home/ada/my%20work"
