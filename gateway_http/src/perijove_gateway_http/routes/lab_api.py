"""What JupyterLab asks about its installation, which nobody changes from here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

import msgspec
from aiohttp import web

from perijove_gateway_http import bodies
from perijove_gateway_http.files import REVALIDATE, file_response, find_file
from perijove_gateway_http.keys import FORWARDING, FRONTEND, PARAMS
from perijove_gateway_http.lab import licenses, locales
from perijove_gateway_http.lab.packages import package_model
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response, location
from perijove_gateway_http.routes.lab_settings import user_locale
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from perijove_gateway_http.lab.config import JsonObject
    from perijove_gateway_http.lab.frontend import Frontend
    from perijove_gateway_http.lab.translations import Catalogs

_LISTINGS = "@jupyterlab/extensionmanager-extension/listings.json"
_MAX_BODY_BYTES = 64 * 1024
_MAX_PER_PAGE = 100
_MAX_DIGITS = 9


class _ExtensionCommand(msgspec.Struct):
    cmd: str
    extension_name: str


class _PluginCommand(msgspec.Struct):
    cmd: str
    plugin_name: str


async def get_translations(request: web.Request) -> web.Response:
    """GET lab/api/translations/{locale}: everything in one language, or the languages."""
    frontend = request.app[FRONTEND]
    name = request[PARAMS].get("locale", "")
    if name:
        name = locales.of_system() if name == "default" else name
        return _catalogs(await asyncio.to_thread(_translated, frontend, name))
    packs = await asyncio.to_thread(lambda: frontend.packs)
    shown_in = await user_locale(request) if packs else locales.DEFAULT
    return _catalogs(await asyncio.to_thread(packs.listing, shown_in))


async def get_listings(request: web.Request) -> web.Response:
    """GET lab/api/listings/{path}: which extensions may be installed."""
    if request[PARAMS]["path"] != _LISTINGS:
        raise Problem(400)
    lists = ("blocked_extensions_uris", "allowed_extensions_uris")
    names = ("blocked_extensions", "allowed_extensions")
    return json_response({key: [] for key in (*lists, *names)})


async def get_theme_file(request: web.Request) -> web.StreamResponse:
    """GET lab/api/themes/{path}: a file of a theme."""
    themes = request.app[FRONTEND].themes
    path = request[PARAMS]["path"]
    roots = await asyncio.to_thread(themes.roots)
    if not path.endswith(".css"):
        return await file_response(roots, path, REVALIDATE)
    found = await asyncio.to_thread(find_file, roots, path)
    if found is None:
        raise Problem(404)
    directory = location(request, "lab/api/themes", path.rpartition("/")[0])
    css = await asyncio.to_thread(themes.stylesheet, found, directory)
    headers = {"Content-Type": "text/css", "Cache-Control": REVALIDATE}
    return web.Response(body=css.encode(), headers=headers)


async def get_licenses(request: web.Request) -> web.Response:
    """GET lab/api/licenses/: the licences of the front end's parts."""
    query = request.query
    form = query.get("format", "json")
    frontend = request.app[FRONTEND]
    full_text = query.get("full_text", "true") not in ("false", "0")
    report, media_type = await asyncio.to_thread(
        lambda: licenses.report(
            frontend.licenses.bundles(query.get("bundles", ".*")), form, full_text=full_text
        )
    )
    headers = {"Content-Type": media_type}
    if query.get("download", "0") not in ("0", "false"):
        suffix = {"json": "json", "csv": "csv", "markdown": "md"}[form]
        name = f"jupyterlab-licenses.{suffix}"
        headers["Content-Disposition"] = f"attachment; filename*=utf-8''{name}"
    return web.Response(body=report, headers=headers)


async def get_extensions(request: web.Request) -> web.Response:
    """GET lab/api/extensions: the installed extensions; a search finds none."""
    page, per_page = _number(request, "page", 1), _number(request, "per_page", 30)
    models: list[JsonObject] = []
    if "query" not in request.query:
        models = await asyncio.to_thread(_installed, request.app[FRONTEND])
    per_page = min(per_page, _MAX_PER_PAGE)
    # All are on the first page, as the front end has it.
    scheme = request.app[FORWARDING].scheme(request)
    url = f"{scheme}://{request.host}{request.path}?page=1&per_page={per_page}"
    link = f'<{url}>; rel="last", <{url}>; rel="first"'
    return json_response(models if page == 1 else [], headers={"Link": link})


async def post_extensions(request: web.Request) -> web.Response:
    """POST lab/api/extensions: refuse to change what is installed."""
    body = await bodies.read_at_most(request, _MAX_BODY_BYTES)
    asked = await bodies.parse(body, _ExtensionCommand)
    commands = ("install", "uninstall", "enable", "disable")
    _refuse_change(asked.cmd, commands, "extension", asked.extension_name)


async def get_plugins(request: web.Request) -> web.Response:
    """GET lab/api/plugins: which plug-ins cannot be switched on or off: all of them."""
    rules = await asyncio.to_thread(request.app[FRONTEND].page_config.locked)
    return json_response({"lockRules": rules, "allLocked": True})


async def post_plugins(request: web.Request) -> web.Response:
    """POST lab/api/plugins: refuse to switch a plug-in on or off."""
    body = await bodies.read_at_most(request, _MAX_BODY_BYTES)
    asked = await bodies.parse(body, _PluginCommand)
    _refuse_change(asked.cmd, ("enable", "disable"), "plugin", asked.plugin_name)


async def get_build(_request: web.Request) -> web.Response:
    """GET lab/api/build: the bundle is as it was installed."""
    return json_response({"status": "stable", "message": ""})


async def change_build(_request: web.Request) -> web.Response:
    """POST and DELETE lab/api/build: refuse to build."""
    raise Problem(501, "the application is installed, not built here")


async def get_news(_request: web.Request) -> web.Response:
    """GET lab/api/news: none are fetched."""
    return json_response({"news": []})


async def get_update(_request: web.Request) -> web.Response:
    """GET lab/api/update: nobody is asked for a newer version."""
    return json_response({"notification": None})


async def get_lsp_status(_request: web.Request) -> web.Response:
    """GET lsp/status: there are no language servers."""
    return json_response({"version": 2, "sessions": {}, "specs": {}})


def _installed(frontend: Frontend) -> list[JsonObject]:
    disabled = frontend.page_config.disabled()
    return [package_model(one, disabled) for one in frontend.extensions.scan()]


def _translated(frontend: Frontend, name: str) -> Catalogs:
    return frontend.packs.catalogs(name)


def _catalogs(catalogs: Catalogs) -> web.Response:
    return json_response({"data": catalogs.data, "message": catalogs.message})


def _refuse_change(command: str, commands: tuple[str, ...], kind: str, name: str) -> NoReturn:
    if command not in commands or not name:
        what = f"{command!r} with {kind} name {name!r}"
        raise Problem(422, f"Could not process instruction {what}")
    raise Problem(501, f"the {kind}s of this server cannot be changed from here")


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or len(text) > _MAX_DIGITS:
        raise Problem(400, f"{name} must be a number")
    return max(1, int(text))


ROUTES = (
    Route("GET", "lab/api/translations", get_translations),
    Route("GET", "lab/api/translations/{locale...}", get_translations),
    Route("GET", "lab/api/listings/{path...}", get_listings),
    Route("GET", "lab/api/themes/{path...}", get_theme_file, Guard.PAGE),
    Route("HEAD", "lab/api/themes/{path...}", get_theme_file, Guard.PAGE),
    Route("GET", "lab/api/licenses", get_licenses),
    Route("GET", "lab/api/licenses/{rest*}", get_licenses),
    Route("GET", "lab/api/extensions", get_extensions),
    Route("POST", "lab/api/extensions", post_extensions),
    Route("GET", "lab/api/plugins", get_plugins),
    Route("POST", "lab/api/plugins", post_plugins),
    Route("GET", "lab/api/build", get_build),
    Route("POST", "lab/api/build", change_build),
    Route("DELETE", "lab/api/build", change_build),
    Route("GET", "lab/api/news", get_news),
    Route("GET", "lab/api/update", get_update),
    Route("GET", "lsp/status", get_lsp_status),
)
