from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from perijove_gateway_http.lab.installation import Installation

    from gateway_http.tests.lab.running_edge import Edge, MakeEdge, Write

READ_ONLY = [
    "lab/api/translations",
    "lab/api/translations/default",
    "lab/api/listings/@jupyterlab/extensionmanager-extension/listings.json",
    "lab/api/extensions",
    "lab/api/plugins",
    "lab/api/build",
    "lab/api/news",
    "lab/api/update",
    "lab/api/licenses/",
    "lsp/status",
]


@pytest.mark.parametrize("path", READ_ONLY)
async def test_what_the_front_end_asks_at_its_start_is_json_for_users_only(
    edge: Edge, path: str
) -> None:
    assert await edge.json(path) is not None
    async with edge.get(path, headers={"Authorization": ""}) as response:
        assert response.status == 403
    async with edge.request("HEAD", path) as response:
        assert response.status == 405
    async with edge.request("OPTIONS", path, headers={"Authorization": ""}) as response:
        assert response.status == 200


async def test_nothing_is_fetched_from_elsewhere(edge: Edge) -> None:
    assert await edge.json("lab/api/news") == {"news": []}
    assert await edge.json("lab/api/update") == {"notification": None}


async def test_english_needs_no_language_pack(edge: Edge) -> None:
    names = {"en": {"displayName": "English", "nativeName": "English"}}
    assert await edge.json("lab/api/translations") == {"data": names, "message": ""}
    assert await edge.json("lab/api/translations/") == {"data": names, "message": ""}


@pytest.mark.parametrize(
    ("locale", "state"),
    [
        ("de_DE", "installed"),
        ("no_NO", "installed"),
        ("xx", "valid"),
        ("..%2F..", "valid"),
        ("%00", "valid"),
        ("de_DE%2F..", "valid"),
        ("x" * 1000, "valid"),
    ],
)
async def test_a_language_that_is_not_installed_is_no_error(
    edge: Edge, locale: str, state: str
) -> None:
    answer = await edge.json(f"lab/api/translations/{locale}")
    assert answer["data"] == {}
    assert answer["message"].startswith("Language pack '")
    assert answer["message"].endswith(f"' not {state}!")


async def test_no_extension_is_blocked(edge: Edge) -> None:
    path = "lab/api/listings/@jupyterlab/extensionmanager-extension/listings.json"
    assert set((await edge.json(path)).values().__iter__().__next__()) == set()
    async with edge.get("lab/api/listings/other.json") as response:
        assert response.status == 400


async def test_installed_extensions_are_listed(edge: Edge) -> None:
    async with edge.get("lab/api/extensions?refresh=1&page=1&per_page=10") as response:
        assert 'rel="last"' in response.headers["Link"]
        names = [one["name"] for one in await response.json()]
    assert "jupyterlab_pygments" in names
    assert await edge.json("lab/api/extensions?page=2") == []
    assert await edge.json("lab/api/extensions?query=git") == []


@pytest.mark.parametrize("query", ["page=x", "per_page=-1", "page=%C2%B2", "page=9999999999999"])
async def test_a_page_must_be_a_number(edge: Edge, query: str) -> None:
    async with edge.get(f"lab/api/extensions?{query}") as response:
        assert response.status == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("extensions", {"cmd": "install", "extension_name": "git"}, 501),
        ("extensions", {"cmd": "uninstall", "extension_name": "git"}, 501),
        ("extensions", {"cmd": "explode", "extension_name": "git"}, 422),
        ("extensions", {"cmd": "install", "extension_name": ""}, 422),
        ("extensions", {"cmd": "install"}, 400),
        ("extensions", [], 400),
        ("plugins", {"cmd": "disable", "plugin_name": "@jupyterlab/a:b"}, 501),
        ("plugins", {"cmd": "install", "plugin_name": "@jupyterlab/a:b"}, 422),
        ("plugins", {"cmd": 5, "plugin_name": "x"}, 400),
    ],
)
async def test_the_installation_cannot_be_changed_from_here(
    edge: Edge, path: str, body: object, status: int
) -> None:
    async with edge.request("POST", f"lab/api/{path}", json=body) as response:
        assert response.status == status
        assert (await response.json())["message"]


async def test_plug_ins_are_said_to_be_locked(edge: Edge) -> None:
    assert await edge.json("lab/api/plugins") == {"lockRules": [], "allLocked": True}


async def test_the_bundle_is_as_it_was_installed(edge: Edge) -> None:
    assert await edge.json("lab/api/build") == {"status": "stable", "message": ""}
    for method in ("POST", "DELETE"):
        async with edge.request(method, "lab/api/build") as response:
            assert response.status == 501


async def test_licences_are_reported_in_three_forms(edge: Edge) -> None:
    bundles = (await edge.json("lab/api/licenses/?full_text=true&format=json"))["bundles"]
    packages = bundles["@jupyterlab/application-top"]["packages"]
    assert {"name", "versionInfo", "licenseId", "extractedText"} <= set(packages[0])
    async with edge.get("lab/api/licenses/?format=csv") as response:
        assert response.headers["Content-Type"] == "text/csv"
        rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert len(rows) == sum(len(bundle["packages"]) for bundle in bundles.values())
    async with edge.get("lab/api/licenses/?format=markdown&full_text=false") as response:
        assert response.headers["Content-Type"] == "text/markdown"
        text = await response.text()
    assert "# @jupyterlab/application-top" in text
    assert packages[0]["extractedText"][:60] not in text


async def test_licences_of_one_bundle_can_be_downloaded(edge: Edge) -> None:
    path = r"lab/api/licenses/?bundles=%5E%40jupyterlab%2Fapplication-top%24&download=1"
    async with edge.get(path) as response:
        assert "jupyterlab-licenses.json" in response.headers["Content-Disposition"]
        assert list((await response.json())["bundles"]) == ["@jupyterlab/application-top"]


@pytest.mark.parametrize(
    "query", ["format=bogus", "bundles=(a%2B)%2B%24", "bundles=[", "bundles=.*.*.*.*x"]
)
async def test_reports_that_nobody_could_want_are_refused(edge: Edge, query: str) -> None:
    async with edge.get(f"lab/api/licenses/?{query}") as response:
        assert response.status == 400


async def test_broken_licences_are_left_out(
    make_edge: MakeEdge, empty: Installation, write: Write
) -> None:
    write(empty.static_dir / "package.json", {"name": "top"})
    write(empty.static_dir / "third-party-licenses.json", "{")
    edge = await make_edge(installation=empty)
    assert await edge.json("lab/api/licenses/") == {"bundles": {"top": {"packages": []}}}
    async with edge.get("lab/api/licenses/?format=markdown") as response:
        assert "No licenses found" in await response.text()


async def test_there_are_no_language_servers(edge: Edge) -> None:
    answer = await edge.json("lsp/status")
    assert msgspec.json.encode(answer) == b'{"version":2,"sessions":{},"specs":{}}'
