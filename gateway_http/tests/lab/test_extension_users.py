"""An extension does for a user what that user may do, and for a stranger nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gateway_http.tests.lab.installing import Packages
    from gateway_http.tests.lab.running_edge import MakeEdge

CODE = """
from contextlib import nullcontext
from perijove.contents.v1 import contents_pb2 as pb

async def save(request):
    with for_nobody() if "itself" in request.query else nullcontext():
        wanted = pb.CreateEntryRequest(type=pb.ENTRY_TYPE_FILE)
        await services(request).contents.CreateEntry(wanted)
    return json_response({})

async def read(request):
    await services(request).contents.ListEntries(pb.ListEntriesRequest())
    return json_response({})

def extension():
    return Extension(
        routes=(
            Route("GET", "moons/read", read),
            Route("POST", "moons/save", save),
            Route("GET", "moons/open", read, Guard.PUBLIC_API),
        ),
    )
"""
STRANGER = {"Authorization": ""}


async def test_an_extension_does_for_a_user_what_the_policy_allows_that_user(
    packages: Packages, make_edge: MakeEdge, tmp_path: Path
) -> None:
    packages.install("moons", CODE)
    policy = tmp_path / "policy.toml"
    policy.write_text('[users.token]\nmoons = ["*"]\ncontents = ["read"]')
    edge = await make_edge(policy_file=str(policy))
    for method, path, status in (
        ("GET", "moons/read", 200),
        ("POST", "moons/save", 403),
        ("POST", "moons/save?itself", 200),
        ("GET", "moons/open", 200),
    ):
        async with edge.request(method, path) as response:
            assert response.status == status, path
            if status == 403:
                assert "the user may not do this" in await response.text()


async def test_an_extension_does_nothing_for_a_stranger(
    packages: Packages, make_edge: MakeEdge
) -> None:
    packages.install("moons", CODE)
    edge = await make_edge()
    for path, headers, status in (
        ("moons/open", STRANGER, 403),
        ("moons/open", {}, 200),
        ("moons/save", {}, 200),
    ):
        method = "POST" if path == "moons/save" else "GET"
        async with edge.request(method, path, headers=headers) as response:
            assert response.status == status, path
