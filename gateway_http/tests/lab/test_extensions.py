from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from gateway_http.tests.lab.test_lab_pages import page

if TYPE_CHECKING:
    from pathlib import Path

    from gateway_http.tests.lab.installing import Packages
    from gateway_http.tests.lab.running_edge import Edge, MakeEdge

WORKS = """
def extension():
    return Extension(
        routes=(
            Route("GET", "{name}/who/{{path*}}", who),
            Route("POST", "{name}/who", who),
            Route("GET", "{name}/page", who, Guard.PAGE),
            Route("GET", "{name}/open", who, Guard.PUBLIC_API),
        ),
        page_config={{"{name}Url": "/{name}"}},
    )
"""


async def made_with_log(make_edge: MakeEdge, **given: object) -> tuple[Edge, dict[str, str]]:
    """Return an edge, and why extensions were left out, by their names."""
    with structlog.testing.capture_logs() as logs:
        edge = await make_edge(**given)
    causes = {line["extension"]: line["cause"] for line in logs if "left out" in line["event"]}
    return edge, causes


async def test_an_extension_answers_below_its_own_prefix(
    packages: Packages, make_edge: MakeEdge
) -> None:
    packages.install("moons", WORKS.format(name="moons"))
    edge = await make_edge(base_url="/user/ada/")
    found = await edge.json("moons/who/a%2Fb/c")
    assert found["params"] == {"path": "a/b/c"}
    assert found["user"].startswith("Anonymous ")
    async with edge.get("moons/other") as response:
        assert response.status == 404
    config, _ = await page(edge, "lab")
    assert config["moonsUrl"] == "/moons"
    async with edge.get("api/spec.yaml") as response:
        assert response.status == 200
        assert "/moons/page" in await response.text()


async def test_who_has_no_credential_gets_only_what_is_said_to_be_for_everybody(
    packages: Packages, make_edge: MakeEdge
) -> None:
    packages.install("moons", WORKS.format(name="moons"))
    edge = await make_edge()
    for path, status in (("who/x", 403), ("page", 302), ("open", 200)):
        async with edge.get(f"moons/{path}", headers={"Authorization": ""}) as response:
            assert response.status == status, path
    assert (await edge.json("moons/open"))["user"]
    # And no other site may have a user's browser ask.
    headers = {"Origin": "https://elsewhere.example", "Authorization": ""}
    async with edge.get("lab") as response:
        cookies = "; ".join(f"{name}={one.value}" for name, one in response.cookies.items())
    for given in (headers | {"Cookie": cookies}, {"Cookie": cookies, "Authorization": ""}):
        async with edge.request("POST", "moons/who", headers=given) as response:
            assert response.status in (403, 404)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("raise RuntimeError('at import')", "at import"),
        ("raise SystemExit(3)", "SystemExit"),
        ("import no_such_module", "no_such_module"),
        ("", "extension"),
        ("def extension(): return 5", "no Extension"),
        ("def extension(): return Extension(routes=(5,))", "is no Route"),
        ("def extension(): return Extension(prefixes=('a/b',))", "'a/b'"),
        (
            "def extension(): return Extension(routes=(Route('GET', 'other/x', who),))",
            "begins with none of its prefixes",
        ),
        (
            "def extension(): return Extension(routes=(Route('GET', '{x*}', who),))",
            "begins with none of its prefixes",
        ),
        (
            "def extension(): return Extension(routes=(Route('GET', 'bad/x', who),) * 2)",
            "two routes",
        ),
        (
            "def extension(): return Extension(routes=(Route('GET', 'bad/{x:(}', who),))",
            "unterminated",
        ),
        ("def extension(): return Extension(prefixes=('api',))", "belongs to the edge itself"),
        ("def extension(): return Extension(prefixes=('tree',))", "belongs to notebook"),
    ],
)
async def test_a_failing_extension_is_left_out_and_stops_nothing(
    packages: Packages, make_edge: MakeEdge, code: str, cause: str
) -> None:
    packages.install("bad", code)
    packages.install("moons", WORKS.format(name="moons"))
    edge, causes = await made_with_log(make_edge)
    assert list(causes) == ["bad"]
    assert cause in causes["bad"]
    assert (await edge.json("moons/who/"))["params"] == {"path": ""}
    async with edge.get("bad/x") as response:
        assert response.status == 404


async def test_of_two_front_ends_that_want_the_same_address_the_second_is_left_out(
    packages: Packages, make_edge: MakeEdge
) -> None:
    code = """
def extension():
    return Extension(
        prefixes=("desk", "{own}"),
        routes=(Route("GET", "desk", who), Route("GET", "{own}", who)),
    )
"""
    packages.install("first", code.format(own="first"))
    packages.install("second", code.format(own="second"))
    edge, causes = await made_with_log(make_edge)
    assert causes == {"second": "/desk belongs to first"}
    assert (await edge.json("desk"))["user"]
    assert (await edge.json("first"))["user"]
    # All or nothing: half a front end is of no use.
    async with edge.get("second") as response:
        assert response.status == 404


async def test_of_two_extensions_of_a_name_the_second_is_left_out(
    packages: Packages, make_edge: MakeEdge
) -> None:
    for prefix in ("one", "two"):
        code = f"def extension(): return Extension(prefixes=('{prefix}',))"
        packages.install("twin", code)
    _, causes = await made_with_log(make_edge)
    assert causes == {"twin": "there is another one of its name"}


@pytest.mark.parametrize("name", ["lab", "favicons"])
async def test_nobody_takes_the_place_of_the_edges_own_files(
    packages: Packages, make_edge: MakeEdge, name: str, tmp_path: Path
) -> None:
    code = f"def extension(): return Extension(prefixes=('x',), static=Path({str(tmp_path)!r}))"
    packages.install(name, code)
    edge, causes = await made_with_log(make_edge)
    assert list(causes) == ([name] if name == "lab" else [])
    config, scripts = await page(edge, "lab")
    assert config["fullStaticUrl"] == "/static/lab"
    async with edge.get("static/favicons/favicon.ico") as response:
        assert response.status == 200
    async with edge.get(scripts.sources[0].removeprefix("/")) as response:
        assert response.status == 200


async def test_extensions_are_switched_off_by_name(packages: Packages, make_edge: MakeEdge) -> None:
    packages.install("moons", WORKS.format(name="moons"))
    edge = await make_edge(extensions_off="moons, notebook")
    for path in ("moons/open", "tree", "static/notebook/main.js"):
        async with edge.get(path) as response:
            assert response.status == 404
    config, _ = await page(edge, "lab")
    assert "moonsUrl" not in config


async def test_pages_are_told_nothing_in_place_of_what_the_edge_says(
    packages: Packages, make_edge: MakeEdge
) -> None:
    code = """
def extension():
    return Extension(page_config={"baseUrl": "/elsewhere/", "token": "x", "mine": [1], "a": 1})
"""
    packages.install("first", code)
    packages.install("second", 'def extension(): return Extension(page_config={"a": 2})')
    edge, causes = await made_with_log(make_edge)
    assert causes == {"second": "taken"}
    config, _ = await page(edge, "tree")
    told = {key: config[key] for key in ("baseUrl", "token", "mine", "a", "nbclassic_enabled")}
    expected = {"baseUrl": "/", "token": "", "mine": [1], "a": 1, "nbclassic_enabled": False}
    assert told == expected


async def test_nbclassic_is_offered_if_somebody_serves_it(
    packages: Packages, make_edge: MakeEdge
) -> None:
    packages.install("nbclassic", WORKS.format(name="nbclassic"))
    config, _ = await page(await make_edge(), "lab")
    assert config["nbclassic_enabled"] is True


async def test_its_files_are_for_users_and_nothing_beside_them(
    packages: Packages, make_edge: MakeEdge, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a.js").write_text("1")
    (tmp_path / "secret").write_text("2")
    code = f"def extension(): return Extension(static=Path({str(tmp_path / 'files')!r}))"
    packages.install("moons", code)
    edge = await make_edge()
    async with edge.get("static/moons/a.js") as response:
        assert (response.status, await response.text()) == (200, "1")
        assert response.headers["Cache-Control"] == "no-cache"
    async with edge.get("static/moons/a.js", headers={"Authorization": ""}) as response:
        assert response.status == 302
    for path in ("../secret", "..%2fsecret", "none"):
        assert await edge.raw_status(f"/static/moons/{path}") == 404


async def test_an_error_of_a_handler_is_logged_and_told_to_nobody(
    packages: Packages, make_edge: MakeEdge
) -> None:
    code = """
async def fail(request):
    raise RuntimeError("secret of the handler")

def extension():
    return Extension(routes=(Route("GET", "bad", fail),))
"""
    packages.install("bad", code)
    edge = await make_edge()
    with structlog.testing.capture_logs() as logs:
        async with edge.get("bad") as response:
            assert response.status == 500
            assert "secret" not in await response.text()
    assert any("secret of the handler" in str(line.get("exc_info")) for line in logs)


async def test_a_policy_denies_an_extension_until_it_names_it(
    packages: Packages, make_edge: MakeEdge, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a.js").write_text("1")
    code = f"""
def extension():
    return Extension(
        routes=(Route("GET", "moons/who", who), Route("POST", "moons/who", who)),
        static=Path({str(tmp_path / "files")!r}),
    )
"""
    packages.install("moons", code)
    policy = tmp_path / "policy.toml"
    for allowed, statuses in (
        ('contents = ["*"]', (403, 403, 403)),
        ('moons = ["read"]', (200, 403, 200)),
        ('moons = ["read", "write"]', (200, 200, 200)),
    ):
        policy.write_text(f'[users."*"]\n{allowed}\n')
        edge = await make_edge(policy_file=str(policy))
        found = []
        for method, path in (
            ("GET", "moons/who"),
            ("POST", "moons/who"),
            ("GET", "static/moons/a.js"),
        ):
            async with edge.request(method, path) as response:
                found.append(response.status)
        assert tuple(found) == statuses
