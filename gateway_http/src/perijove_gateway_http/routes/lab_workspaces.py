"""JupyterLab's workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import documents_pb2 as pb
from perijove_chassis import errors, status

from perijove_gateway_http import bodies, documents
from perijove_gateway_http.keys import PARAMS, STUBS
from perijove_gateway_http.lab import workspaces
from perijove_gateway_http.models import timestamp
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import json_response, no_content
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from aiohttp import web

_COLLECTION = pb.COLLECTION_WORKSPACES


async def get_workspaces(request: web.Request) -> web.Response:
    """GET lab/api/workspaces: every workspace."""
    stored = await documents.get_all(request.app[STUBS].documents, _COLLECTION)
    values = [_model(document) for document in stored]
    ids = [value.metadata["id"] for value in values]
    return json_response({"workspaces": {"ids": ids, "values": values}})


async def get_workspace(request: web.Request) -> web.Response:
    """GET lab/api/workspaces/{name}: one workspace, empty if it was never stored."""
    name = request[PARAMS]["name"]
    if not name:
        return await get_workspaces(request)
    document = await documents.get(request.app[STUBS].documents, _COLLECTION, name)
    return json_response(_model(document) if document else workspaces.absent(name))


async def put_workspace(request: web.Request) -> web.Response:
    """PUT lab/api/workspaces/{name}: keep a layout."""
    name = _name(request)
    body = (await bodies.read_at_most(request, documents.MAX_BYTES)).strip()
    workspaces.check(name, body)
    await documents.put(request.app[STUBS].documents, _COLLECTION, name, body)
    return no_content()


async def delete_workspace(request: web.Request) -> web.Response:
    """DELETE lab/api/workspaces/{name}: forget a layout."""
    name = _name(request)
    try:
        await request.app[STUBS].documents.DeleteDocument(
            pb.DeleteDocumentRequest(collection=_COLLECTION, document_id=name)
        )
    except grpc.RpcError as error:
        if isinstance(status.error_of(error), errors.NotFound):
            raise Problem(404, f"Workspace {name!r} not found") from None
        raise
    return no_content()


def _name(request: web.Request) -> str:
    name = request[PARAMS].get("name", "")
    if not name:
        raise Problem(400, f"Workspace name is required for {request.method}")
    return name


def _model(document: pb.Document) -> workspaces.Workspace:
    return workspaces.model(
        document.document_id,
        document.content,
        created=timestamp(document.create_time),
        last_modified=timestamp(document.update_time),
    )


ROUTES = (
    Route("GET", "lab/api/workspaces", get_workspaces),
    Route("PUT", "lab/api/workspaces", put_workspace),
    Route("DELETE", "lab/api/workspaces", delete_workspace),
    Route("GET", "lab/api/workspaces/{name...}", get_workspace),
    Route("PUT", "lab/api/workspaces/{name...}", put_workspace),
    Route("DELETE", "lab/api/workspaces/{name...}", delete_workspace),
)
