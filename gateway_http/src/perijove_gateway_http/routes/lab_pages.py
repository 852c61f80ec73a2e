"""The pages of JupyterLab."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from perijove_gateway_http.keys import (
    AUTH,
    CALLER,
    EXTENSIONS,
    FRONTEND,
    PARAMS,
    READINESS,
    SETTINGS,
)
from perijove_gateway_http.lab.page import BundleMissing, Look
from perijove_gateway_http.lab.page_config import Place, Site
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import html_response, redirect
from perijove_gateway_http.routes.api import API_VERSION
from perijove_gateway_http.routing import Guard, Route
from perijove_gateway_http.starting import IN_SPITE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from perijove_gateway_http.lab.apps import FrontEndApp
    from perijove_gateway_http.lab.frontend import Frontend
    from perijove_gateway_http.settings import Settings

log = structlog.get_logger()

_DEFAULT_WORKSPACE = "default"
_LOOK = Look(busy_icon="favicon-busy-1.ico")


async def get_lab(request: web.Request) -> web.Response:
    """GET lab and what names a workspace or a document below it: the whole application."""
    return await _page(request, single_document=False)


async def get_doc(request: web.Request) -> web.Response:
    """GET doc and what names a document below it: the application around one document."""
    return await _page(request, single_document=True)


async def get_unknown(request: web.Request) -> web.Response:
    """GET lab/{anything else}: the application, which says that there is no such page."""
    raw_path = request.rel_url.raw_path
    if raw_path.endswith("/"):
        return _without_slash(request)
    return await _of_lab(request, Place(not_found_url=raw_path))


async def _page(request: web.Request, *, single_document: bool) -> web.Response:
    if request.rel_url.raw_path.endswith("/"):
        return _without_slash(request)
    params = request[PARAMS]
    place = Place(
        single_document=single_document,
        workspace=params.get("workspace", _DEFAULT_WORKSPACE),
        tree_path=params.get("path", ""),
    )
    return await _of_lab(request, place)


async def _of_lab(request: web.Request, place: Place) -> web.Response:
    app = request.app[FRONTEND].installation.lab
    if app is None:
        raise Problem(404, "JupyterLab is not installed here")
    return await respond(request, app, _LOOK, place)


async def respond(request: web.Request, app: FrontEndApp, look: Look, place: Place) -> web.Response:
    """Answer with a page of an application, or with one that says what it waits for.

    Raises:
        Problem: 500 if its installation is broken.
    """
    if waiting := await waiting_page(request, app.title):
        return waiting
    settings = request.app[SETTINGS]
    look = replace(look, custom_css=settings.links_custom_css(app.name))
    frontend = request.app[FRONTEND]
    site = replace(site_of(settings), further=_further(request))
    try:
        text = await asyncio.to_thread(_render, frontend, app, look, site, place)
    except BundleMissing as error:
        log.error("the page cannot be made", cause=str(error))  # noqa: TRY400 - it says enough
        raise Problem(500, f"{app.title} cannot be shown: {error}") from None
    response = html_response(text)
    response.headers["Cache-Control"] = "no-store"
    cookie = request.app[AUTH].xsrf_cookie(request)
    if cookie:
        response.headers.add("Set-Cookie", cookie)
    return response


async def waiting_page(request: web.Request, title: str) -> web.Response | None:
    """Return the page that is shown until the services are there; None if they are."""
    readiness = request.app[READINESS]
    if IN_SPITE in request.query or not (missing := await readiness.missing()):
        return None
    log.info("a page waits", missing=list(missing))
    response = html_response(readiness.page(title, request.app[SETTINGS].base_url, missing), 503)
    response.headers.update({"Cache-Control": "no-store", "Retry-After": "1"})
    return response


def _further(request: web.Request) -> Mapping[str, Any]:
    known, caller = request.app[EXTENSIONS].page_config, request[CALLER]
    provider = request.app[AUTH].provider
    return {**known, **provider.page_config(caller)} if provider and caller else known


def _render(frontend: Frontend, app: FrontEndApp, look: Look, site: Site, place: Place) -> str:
    return frontend.pages.render(app, look, frontend.page_config.assemble(app, site, place))


def site_of(settings: Settings) -> Site:
    """Return what the front end is told about this server."""
    return Site(
        base_url=settings.base_url,
        server_root=settings.server_root,
        server_version=tuple(int(part) for part in API_VERSION.split(".")),
        terminals_available=settings.terminals,
        allow_hidden=settings.allow_hidden,
        delete_to_trash=settings.delete_to_trash,
        expose_app=settings.expose_app_in_browser,
        can_be_ended=settings.launcher_fd >= 0,
        untracked_message_types=tuple(
            name for part in settings.untracked_message_types.split(",") if (name := part.strip())
        ),
    )


def _without_slash(request: web.Request) -> web.Response:
    raw_query = request.rel_url.raw_query_string
    location = request.rel_url.raw_path.rstrip("/") + (f"?{raw_query}" if raw_query else "")
    return redirect(location, 301)


_WORKSPACE = r"workspaces/{workspace:[a-zA-Z0-9\-_]+}"

ROUTES = (
    Route("GET", "lab", get_lab, Guard.PAGE),
    Route("GET", "lab/tree/{path*}", get_lab, Guard.PAGE),
    Route("GET", f"lab/{_WORKSPACE}", get_lab, Guard.PAGE),
    Route("GET", f"lab/{_WORKSPACE}/tree/{{path*}}", get_lab, Guard.PAGE),
    Route("GET", "doc", get_doc, Guard.PAGE),
    Route("GET", "doc/tree/{path*}", get_doc, Guard.PAGE),
    Route("GET", f"doc/{_WORKSPACE}", get_doc, Guard.PAGE),
    Route("GET", f"doc/{_WORKSPACE}/tree/{{path*}}", get_doc, Guard.PAGE),
)

FALLBACK_ROUTES = (Route("GET", "lab/{rest*}", get_unknown, Guard.PAGE),)
"""After every other route below `lab`."""
