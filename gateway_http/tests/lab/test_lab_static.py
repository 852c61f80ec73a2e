from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from perijove_gateway_http.lab.themes import absolute_urls

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_gateway_http.lab.installation import Installation

    from gateway_http.tests.lab.running_edge import Edge, MakeEdge, Write

THEME = "lab/api/themes/@jupyterlab/theme-light-extension/index.css"


async def test_the_bundle_is_cached_for_good_and_needs_no_user(
    edge: Edge, installed: Installation
) -> None:
    script = next(installed.static_dir.glob("main.*.js"))
    async with edge.get(f"static/lab/{script.name}", headers={"Authorization": ""}) as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Type"] == "text/javascript"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert await response.read() == script.read_bytes()


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [("woff2", "font/woff2"), ("woff", "font/woff"), ("ttf", "font/ttf"), ("svg", "image/svg+xml")],
)
async def test_files_have_the_type_that_browsers_expect(
    edge: Edge, installed: Installation, suffix: str, media_type: str
) -> None:
    file = next(installed.static_dir.glob(f"*.{suffix}"))
    async with edge.get(f"static/lab/{file.name}") as response:
        assert response.headers["Content-Type"] == media_type


async def test_a_file_can_be_asked_about_in_part_and_again(
    edge: Edge, installed: Installation
) -> None:
    script = next(installed.static_dir.glob("main.*.js"))
    path = f"static/lab/{script.name}"
    async with edge.request("HEAD", path) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) == script.stat().st_size
        tag = response.headers["Etag"]
    async with edge.get(path, headers={"If-None-Match": tag}) as response:
        assert response.status == 304
    async with edge.get(path, headers={"Range": "bytes=0-9"}) as response:
        assert response.status == 206
        assert await response.read() == script.read_bytes()[:10]


async def test_an_extension_is_asked_for_again_unless_its_hash_is(edge: Edge) -> None:
    path = "lab/extensions/jupyterlab_pygments/package.json"
    async with edge.get(path) as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-cache"
    async with edge.get(path + "?v=5cbb9d2323598fbda535") as response:
        assert "immutable" in response.headers["Cache-Control"]


async def test_the_first_directory_that_has_a_file_wins(
    make_edge: MakeEdge, empty: Installation, write: Write
) -> None:
    first, second = empty.labextensions_path
    write(first / "ext" / "a.js", "first")
    write(second / "ext" / "a.js", "second")
    write(second / "ext" / "b.js", "second")
    edge = await make_edge(installation=empty)
    for name, expected in (("a.js", "first"), ("b.js", "second")):
        async with edge.get(f"lab/extensions/ext/{name}") as response:
            assert await response.text() == expected


async def test_an_extension_linked_from_its_source_is_served(
    make_edge: MakeEdge, empty: Installation, write: Write, tmp_path: Path
) -> None:
    write(tmp_path / "source" / "a.js", "linked")
    first = empty.labextensions_path[0]
    first.mkdir(parents=True)
    (first / "ext").symlink_to(tmp_path / "source")
    edge = await make_edge(installation=empty)
    async with edge.get("lab/extensions/ext/a.js") as response:
        assert await response.text() == "linked"


@pytest.mark.parametrize("prefix", ["static/lab", "lab/extensions", "static/favicons"])
@pytest.mark.parametrize(
    "path",
    [
        "../schemas/x.json",
        "..%2fschemas/@jupyterlab/x.json",
        "%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc/passwd",
        "//etc/passwd",
        ".",
        "./",
        "",
        "main.js%00.css",
        "a/../index.html",
        "x" * 300,
        "nope.js",
        "..\\..\\etc\\passwd",
    ],
)
async def test_what_is_not_a_file_below_the_directory_is_not_there(
    edge: Edge, prefix: str, path: str
) -> None:
    assert await edge.raw_status(f"/{prefix}/{path}") in (302, 404)


@pytest.mark.parametrize("path", ["%2e%2e/schemas/package.json", "@jupyterlab", "", "nope.css"])
async def test_what_is_not_a_file_of_a_theme_is_not_there(edge: Edge, path: str) -> None:
    assert await edge.raw_status(f"/lab/api/themes/{path}") == 404


async def test_a_theme_of_the_bundle_is_served(edge: Edge) -> None:
    async with edge.get(THEME) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/css"
        assert response.headers["Cache-Control"] == "no-cache"
        tag = response.headers["Etag"]
    async with edge.get(THEME, headers={"If-None-Match": tag}) as response:
        assert response.status == 304
    async with edge.get(THEME.replace(".css", ".js")) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/javascript"


async def test_a_theme_of_an_extension_names_its_files_from_the_root(
    make_edge: MakeEdge, empty: Installation, write: Write
) -> None:
    extension = empty.labextensions_path[0] / "@me" / "theme"
    write(extension / "package.json", {"name": "@me/theme", "version": "1.0.0"})
    write(extension / "themes/@me/theme/index.css", "a { background: url('images/a.png') }")
    edge = await make_edge(installation=empty, base_url="/b/")
    async with edge.get("lab/api/themes/@me/theme/index.css") as response:
        text = await response.text()
    assert text == "a { background: url('/b/lab/api/themes/%40me/theme/images/a.png') }"


def test_only_relative_addresses_of_a_stylesheet_change() -> None:
    css = (
        "a{b:url('x.png')}c{d:url(\"../y.woff\")}e{f:url( z.svg )}"
        "g{h:url('/abs.png')}i{j:url(https://e.org/k)}l{m:url('data:image/png;base64,AA==')}"
        "n{o:url(#gradient)}"
    )
    assert absolute_urls(css, "/t/a b") == (
        "a{b:url('/t/a%20b/x.png')}c{d:url(\"/t/a%20b/../y.woff\")}e{f:url(/t/a%20b/z.svg)}"
        "g{h:url('/abs.png')}i{j:url(https://e.org/k)}l{m:url('data:image/png;base64,AA==')}"
        "n{o:url(#gradient)}"
    )


async def test_the_icon_and_the_empty_style_of_the_user_are_there(edge: Edge) -> None:
    async with edge.get("static/favicons/favicon-busy-1.ico") as response:
        assert response.headers["Content-Type"] == "image/vnd.microsoft.icon"
    async with edge.get("custom/custom.css") as response:
        assert (response.status, await response.read()) == (200, b"")
        assert response.headers["Content-Type"] == "text/css"
