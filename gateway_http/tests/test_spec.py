"""The OpenAPI document says what is served, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from perijove_gateway_http.routes import ROUTES, notebook_pages
from perijove_gateway_http.routing import Guard, Table
from perijove_gateway_http.spec.document import as_yaml, document
from perijove_gateway_http.spec.operations import OPERATIONS

if TYPE_CHECKING:
    from conftest import MakeEdge


SERVED = (*ROUTES, *notebook_pages.ROUTES)


def test_every_route_is_described_and_nothing_else() -> None:
    assert {(route.method, route.pattern) for route in SERVED} == set(OPERATIONS)


def test_what_is_written_is_read_as_it_was_meant() -> None:
    made = document(Table("/a/", SERVED).rows, "/a/", "1.0")
    assert yaml.safe_load(as_yaml(made)) == made
    odd = {"yes": "no", "a": ["", "x: y", "- z", "#", "\n", {}, [], None, True, 5, {"b": [["c"]]}]}
    assert yaml.safe_load(as_yaml(odd)) == odd


def test_every_parameter_of_a_path_and_every_schema_is_there() -> None:
    made = document(Table("/", SERVED).rows, "/", "1.0")
    for path, methods in made["paths"].items():
        named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        assert [one["name"] for one in methods.get("parameters", [])] == named, path
    text = as_yaml(made)
    for line in text.splitlines():
        if "$ref" in line:
            assert line.rpartition("/")[2].strip('"') in made["components"]["schemas"]


def test_what_is_public_says_so() -> None:
    made = document(Table("/", SERVED).rows, "/", "1.0")
    public = {
        (method, path)
        for path, methods in made["paths"].items()
        for method, one in methods.items()
        if method not in ("parameters", "options") and one.get("security") == []
    }
    guards = (Guard.PUBLIC, Guard.PUBLIC_API)
    assert len(public) == sum(route.guard in guards for route in SERVED)


@pytest.mark.parametrize("terminals", [True, False])
async def test_what_is_not_served_is_not_in_the_document(
    make_edge: MakeEdge, *, terminals: bool
) -> None:
    edge = await make_edge(terminals=terminals, base_url="/user/ada")
    response, body = await edge.ask("GET", "/user/ada/api/spec.yaml")
    assert (response.status, response.headers["Content-Type"]) == (200, "text/x-yaml")
    found = yaml.safe_load(body)
    assert found["servers"] == [{"url": "/user/ada"}]
    assert ("/api/terminals" in found["paths"]) is terminals
    response, body = await edge.ask("GET", "/user/ada/api/swagger.json")
    assert json.loads(body) == found
    response, _ = await edge.ask("GET", "/user/ada/api/spec.yaml", token=None)
    assert response.status == 302
