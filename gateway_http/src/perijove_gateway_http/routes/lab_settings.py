"""JupyterLab's settings: schemas of the installation, values of the user."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from perijove.contents.v1 import documents_pb2 as pb

from perijove_gateway_http import bodies, documents
from perijove_gateway_http.keys import FRONTEND, PARAMS, STUBS
from perijove_gateway_http.lab import locales, schema_texts
from perijove_gateway_http.lab.translations import LOCALE_PLUGIN
from perijove_gateway_http.lab.user_settings import NO_SETTINGS
from perijove_gateway_http.models import timestamp
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response, no_content
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.lab.frontend import Frontend
    from perijove_gateway_http.lab.schemas import Schema

# A text may double when it becomes a JSON string.
_MAX_BODY_BYTES = 2 * documents.MAX_BYTES + 1024


class _Body(msgspec.Struct):
    raw: str


async def get_settings(request: web.Request) -> web.Response:
    """GET lab/api/settings/{plugin_id}: one plug-in's settings, or all of them."""
    plugin_id = request[PARAMS].get("plugin_id", "")
    if plugin_id:
        return json_response(await _one(request, plugin_id))
    frontend = request.app[FRONTEND]
    if request.query.get("ids_only") == "true":
        ids = await asyncio.to_thread(frontend.schemas.ids)
        return json_response({"settings": [{"id": one} for one in ids]})
    stub = request.app[STUBS].documents
    stored = await documents.get_all(stub, pb.COLLECTION_SETTINGS)
    by_id = {document.document_id: document for document in stored}
    return json_response({"settings": await asyncio.to_thread(_models, frontend, by_id)})


async def put_settings(request: web.Request) -> web.Response:
    """PUT lab/api/settings/{plugin_id}: keep the user's text, byte for byte."""
    frontend = request.app[FRONTEND]
    plugin_id = request[PARAMS].get("plugin_id", "")
    if not plugin_id:
        raise Problem(404, "Settings not found ()")
    body = await bodies.read_at_most(request, _MAX_BODY_BYTES)
    raw = (await bodies.parse(body, _Body)).raw
    await asyncio.to_thread(_check, frontend, plugin_id, raw)
    stub = request.app[STUBS].documents
    await documents.put(stub, pb.COLLECTION_SETTINGS, plugin_id, raw.encode())
    return no_content()


async def user_locale(request: web.Request) -> str:
    """Return the language that the user chose."""
    frontend = request.app[FRONTEND]
    stub = request.app[STUBS].documents
    document = await documents.get(stub, pb.COLLECTION_SETTINGS, LOCALE_PLUGIN)
    by_id = {LOCALE_PLUGIN: document} if document else {}
    return await asyncio.to_thread(_locale, frontend, by_id)


async def _one(request: web.Request, plugin_id: str) -> dict[str, Any]:
    frontend = request.app[FRONTEND]
    schema = await asyncio.to_thread(frontend.schemas.get, plugin_id)
    wanted = {plugin_id}
    if await asyncio.to_thread(_has_packs, frontend):
        wanted.add(LOCALE_PLUGIN)
    stub = request.app[STUBS].documents
    found = await asyncio.gather(
        *(documents.get(stub, pb.COLLECTION_SETTINGS, one) for one in wanted)
    )
    by_id = {document.document_id: document for document in found if document}
    return await asyncio.to_thread(_model_of_one, frontend, schema, by_id)


def _check(frontend: Frontend, plugin_id: str, raw: str) -> None:
    frontend.settings.parse(frontend.schemas.get(plugin_id), raw)


def _has_packs(frontend: Frontend) -> bool:
    return bool(frontend.packs)


def _models(frontend: Frontend, by_id: dict[str, pb.Document]) -> list[dict[str, Any]]:
    locale = _locale(frontend, by_id)
    return [
        _model(frontend, schema, by_id.get(schema.plugin_id), locale)
        for schema in frontend.schemas.all()
    ]


def _model_of_one(
    frontend: Frontend, schema: Schema, by_id: dict[str, pb.Document]
) -> dict[str, Any]:
    locale = _locale(frontend, by_id)
    model = _model(frontend, schema, by_id.get(schema.plugin_id), locale)
    del model["warning"]
    return model


def _model(
    frontend: Frontend, schema: Schema, document: pb.Document | None, locale: str
) -> dict[str, Any]:
    stored = frontend.settings.stored(schema, document.content) if document else NO_SETTINGS
    shown: Any = msgspec.Raw(schema.content)
    if locale != locales.DEFAULT and frontend.packs:
        shown = schema_texts.translated(schema.parsed, frontend.packs, locale)
    return {
        "id": schema.plugin_id,
        "schema": shown,
        "version": schema.version,
        "raw": stored.raw,
        "settings": stored.settings,
        "warning": stored.warning,
        "last_modified": timestamp(document.update_time) if document else None,
        "created": timestamp(document.create_time) if document else None,
    }


def _locale(frontend: Frontend, by_id: dict[str, pb.Document]) -> str:
    if not frontend.packs:
        return locales.DEFAULT
    document = by_id.get(LOCALE_PLUGIN)
    if document is None:
        return locales.resolve(None)
    schema = frontend.schemas.get(LOCALE_PLUGIN)
    chosen = frontend.settings.stored(schema, document.content).settings.get("locale")
    return locales.resolve(chosen)


ROUTES = (
    Route("GET", "lab/api/settings", get_settings),
    Route("PUT", "lab/api/settings", put_settings),
    Route("GET", "lab/api/settings/{plugin_id...}", get_settings),
    Route("PUT", "lab/api/settings/{plugin_id...}", put_settings),
)
