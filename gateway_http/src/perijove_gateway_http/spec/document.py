"""Builds the OpenAPI document from the route table, so that it cannot say what is not served."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from perijove_gateway_http.routing import Guard
from perijove_gateway_http.spec.operation import Operation
from perijove_gateway_http.spec.operations import OPERATIONS
from perijove_gateway_http.spec.schemas import QUERY, SCHEMAS, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perijove_gateway_http.routing import Route, Row

_PARAMETER = re.compile(r"\{(\w+)(\.\.\.|\*|:[^{}]+|:.+)?\}(?=/|$)")
_REFUSALS: dict[Guard, tuple[int, ...]] = {
    Guard.API: (400, 403, 404, 405, 409, 413, 429, 503, 504),
    Guard.PUBLIC_API: (400, 403, 404, 405),
    Guard.PAGE: (400, 403, 404, 405, 413, 429, 503, 504),
    Guard.WEBSOCKET: (400, 403, 404, 405, 426, 503, 504),
    Guard.PUBLIC: (400, 403, 404, 405),
}
"""What any route may answer: a wrong host, origin, path or method, a service that is away."""
_PREFLIGHT = Operation("Ask what a page of another site may send", {200: ""})
_UNDESCRIBED = Operation("Served by an extension", {200: "*/*"})


def document(rows: Sequence[Row], base_url: str, version: str) -> dict[str, Any]:
    """Return the document about what is served.

    Args:
        rows: The routes.
        base_url: What all paths are below.
        version: Of the API.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Perijove",
            "version": version,
            "description": "The API of Jupyter Server, as this server has it.",
        },
        "servers": [{"url": base_url.rstrip("/") or "/"}],
        "security": [{"token": []}, {"header": []}],
        "paths": {_path(row.pattern): dict(_methods(row)) for row in rows},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "query", "name": "token"},
                "header": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def as_yaml(value: object) -> str:
    """Return a document as YAML."""
    return "\n".join(_lines(value, "")) + "\n"


def _path(pattern: str) -> str:
    return "/" + _PARAMETER.sub(r"{\1}", pattern)


def _methods(row: Row) -> Iterator[tuple[str, Any]]:
    parameters = [_path_parameter(*found.groups()) for found in _PARAMETER.finditer(row.pattern)]
    if parameters:
        yield "parameters", parameters
    for method, route in row.routes.items():
        described = OPERATIONS.get((method, row.pattern), _UNDESCRIBED)
        yield method.lower(), _operation(route, described)
    if row.guard.is_api:
        yield "options", _operation(next(iter(row.routes.values())), _PREFLIGHT) | {"security": []}


def _operation(route: Route, described: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {"summary": described.summary}
    if described.query:
        found["parameters"] = [_query_parameter(name) for name in described.query]
    if described.body:
        found["requestBody"] = {"content": _content(described.body)}
    found["responses"] = {str(status): answer for status, answer in _answers(route, described)}
    if route.guard in (Guard.PUBLIC, Guard.PUBLIC_API):
        found["security"] = []
    return found


def _answers(route: Route, described: Operation) -> Iterator[tuple[int, dict[str, Any]]]:
    answers = {status: _answer(status, kind) for status, kind in described.answers.items()}
    if route.method in ("GET", "HEAD"):
        answers.setdefault(304, _answer(304, ""))
    if route.guard is Guard.PAGE and route.method in ("GET", "HEAD"):
        answers.setdefault(302, _answer(302, ""))
    for status in {*_REFUSALS[route.guard], *described.fails}:
        answers.setdefault(status, _refusal(route.guard, status))
    yield from sorted(answers.items())


def _answer(status: int, kind: str) -> dict[str, Any]:
    phrase = {"description": HTTPStatus(status).phrase}
    return {**phrase, "content": _content(kind)} if kind else phrase


def _refusal(guard: Guard, status: int) -> dict[str, Any]:
    content = _content("Error" if guard.answers_json else "text/html")
    if status == HTTPStatus.NOT_FOUND:
        # An address that fits no route has a page; an entry that is not there a text.
        content = {"application/json": {}, "text/html": {}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _content(kind: str) -> dict[str, Any]:
    if "/" in kind:
        return {kind: {}}
    name = kind.strip("[]")
    schema: dict[str, Any] = {"$ref": f"#/components/schemas/{name}"}
    if kind.startswith("["):
        schema = {"type": "array", "items": schema}
    if name == "Login":
        return {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"application/json": {"schema": schema}}


def _path_parameter(name: str, kind: str | None) -> dict[str, Any]:
    schema = dict(TEXT)
    if kind and kind.startswith(":"):
        schema["pattern"] = f"^{kind[1:]}$"
    found = {"name": name, "in": "path", "required": True, "schema": schema}
    if kind in ("...", "*"):
        found["description"] = "May have several segments."
    return found


def _query_parameter(name: str) -> dict[str, Any]:
    description, schema = QUERY[name]
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _lines(value: object, indent: str) -> Iterator[str]:
    items: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        items = [(f"{indent}{_scalar(str(key))}:", inner) for key, inner in value.items()]
    elif isinstance(value, list):
        items = [(f"{indent}-", inner) for inner in value]
    for head, inner in items:
        if isinstance(inner, dict | list) and inner:
            yield head
            yield from _lines(inner, indent + "  ")
        else:
            yield f"{head} {_scalar(inner)}"


def _scalar(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z$/_][\w$/{}.-]*", value):
        is_word = value.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
        if is_word and "{" not in value[:1]:
            return value
    return msgspec.json.encode(value).decode()
