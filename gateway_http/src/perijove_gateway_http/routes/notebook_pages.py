"""The pages of Jupyter Notebook, which opens each document in a tab of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import contents_pb2 as pb
from perijove_chassis import errors, status

from perijove_gateway_http.extensions.registration import Extension
from perijove_gateway_http.keys import FRONTEND, PARAMS, SETTINGS, STUBS
from perijove_gateway_http.lab.page import Look
from perijove_gateway_http.lab.page_config import Place
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import location, redirect
from perijove_gateway_http.routes.lab_pages import respond, waiting_page
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from aiohttp import web

    from perijove_gateway_http.lab.apps import FrontEndApp

_NAME = "Jupyter Notebook"


async def get_tree(request: web.Request) -> web.Response:
    """GET tree/{path}: the files of a directory; what is none has another page."""
    path = _path(request)
    if path and (waiting := await waiting_page(request, _NAME)):
        return waiting
    kind = await _type_of(request, path)
    if kind in (pb.ENTRY_TYPE_DIRECTORY, pb.ENTRY_TYPE_UNSPECIFIED):
        return await _page(request, "tree", Look("Home"), tree_path=path)
    page = "notebooks" if kind == pb.ENTRY_TYPE_NOTEBOOK else "files"
    return redirect(location(request, page, path))


async def get_notebook(request: web.Request) -> web.Response:
    """GET notebooks/{path}: one notebook, there or not: the page says if it is not."""
    path = _path(request)
    if path and (waiting := await waiting_page(request, _NAME)):
        return waiting
    if await _is_directory(request, path):
        return redirect(location(request, "tree", path))
    icon, attributes = "favicon-notebook.ico", 'data-notebook="notebooks"'
    look = Look(f"{_NAME} - Notebook", icon, attributes=attributes)
    return await _page(request, "notebooks", look)


async def get_editor(request: web.Request) -> web.Response:
    """GET edit/{path}: one text file."""
    look = Look(f"{_NAME} - Edit", "favicon-file.ico", attributes='data-notebook="edit"')
    return await _page(request, "edit", look)


async def get_console(request: web.Request) -> web.Response:
    """GET consoles/{path}: one console."""
    return await _page(request, "consoles", Look(f"{_NAME} - Console", "favicon-notebook.ico"))


async def get_terminal(request: web.Request) -> web.Response:
    """GET terminals/{name}: one terminal."""
    if not request.app[SETTINGS].terminals:
        raise Problem(404, "there are no terminals here")
    return await _page(request, "terminals", Look(f"{_NAME} - Terminal", "favicon-terminal.ico"))


async def _page(request: web.Request, page: str, look: Look, tree_path: str = "") -> web.Response:
    place = Place(notebook_page=page, tree_path=tree_path)
    return await respond(request, _app(request), look, place)


def _app(request: web.Request) -> FrontEndApp:
    found = request.app[FRONTEND].installation.notebook
    if found is None:
        raise Problem(404, "Jupyter Notebook is not installed here")
    return found


def _path(request: web.Request) -> str:
    return request[PARAMS].get("path", "").strip("/")


async def _is_directory(request: web.Request, path: str) -> bool:
    try:
        return await _type_of(request, path) == pb.ENTRY_TYPE_DIRECTORY
    except grpc.aio.AioRpcError as error:
        # What is not there, or cannot be, is for the page to say.
        if isinstance(status.error_of(error), errors.NotFound | errors.InvalidArgument):
            return False
        raise


async def _type_of(request: web.Request, path: str) -> pb.EntryType:
    if not path:
        return pb.ENTRY_TYPE_DIRECTORY
    wanted = pb.GetEntryRequest(path=path, untold=True)
    try:
        reply = await request.app[STUBS].contents.GetEntry(wanted)
    except grpc.aio.AioRpcError as error:
        if status.error_of(error).reason == "USER_NOT_ALLOWED":
            # The page is for everybody, what it shows is not: it will say so.
            return pb.ENTRY_TYPE_UNSPECIFIED
        raise
    return reply.entry.type


def extension(app: FrontEndApp) -> Extension:
    """Return the application as an extension of the edge, which it is like any other."""
    return Extension(
        routes=ROUTES,
        prefixes=("tree", "notebooks", "edit", "consoles", "terminals"),
        static=app.static_dir,
        # As of every front end: there is nothing in it that is not on everybody's machine.
        static_guard=Guard.PUBLIC,
        immutable=True,
    )


ROUTES = (
    Route("GET", "tree", get_tree, Guard.PAGE),
    Route("GET", "tree/{path*}", get_tree, Guard.PAGE),
    Route("GET", "notebooks", get_notebook, Guard.PAGE),
    Route("GET", "notebooks/{path*}", get_notebook, Guard.PAGE),
    Route("GET", "edit", get_editor, Guard.PAGE),
    Route("GET", "edit/{path*}", get_editor, Guard.PAGE),
    Route("GET", "consoles/{path*}", get_console, Guard.PAGE),
    Route("GET", "terminals/{name*}", get_terminal, Guard.PAGE),
)
