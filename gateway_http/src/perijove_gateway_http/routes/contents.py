"""`api/contents`: notebooks, files, directories."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
from perijove.contents.v1 import contents_pb2 as pb

from perijove_gateway_http import large_notebooks, models, streaming, versions
from perijove_gateway_http.bodies import ON_LOOP_BYTES, parse, parse_given, read_json
from perijove_gateway_http.incoming import Incoming
from perijove_gateway_http.keys import PARAMS, SETTINGS, STUBS
from perijove_gateway_http.problems import Problem, reason_of
from perijove_gateway_http.queries import ENTRY_TYPES, FORMATS, ContentsQuery
from perijove_gateway_http.responses import json_response, location, missing, no_content
from perijove_gateway_http.routing import Route

if TYPE_CHECKING:
    from aiohttp import web

_JSON = "application/json"
_NEW_NOTEBOOK = b'{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}'


class _Create(msgspec.Struct):
    copy_from: str | None = None
    type: str | None = None
    ext: str | None = None


class _Write(msgspec.Struct):
    type: str | None = None
    format: str | None = None
    content: msgspec.Raw = msgspec.Raw(b"null")
    chunk: int | None = None
    copy_from: Any = None

    @property
    def is_empty(self) -> bool:
        """Whether no content was sent."""
        return bytes(memoryview(self.content)[:5]) == b"null"


class _Rename(msgspec.Struct):
    path: str | msgspec.UnsetType = msgspec.UNSET


async def read(request: web.Request) -> web.StreamResponse:
    """GET api/contents/{path}: the model, with its content unless `content=0`."""
    path = request[PARAMS]["path"]
    wanted = ContentsQuery.parse(request.query)
    try:
        if wanted.content:
            return await _with_content(request, path, wanted)
        reply = await request.app[STUBS].contents.GetEntry(
            pb.GetEntryRequest(path=path, type=wanted.type, include_hash=wanted.hash)
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND and reason_of(error) == "NO_SUCH_ENTRY":
            return missing(request, path)
        raise
    return versions.known_to(request, reply.entry) or json_response(
        models.contents_model(reply.entry), headers=versions.version_headers(reply.entry)
    )


async def create(request: web.Request) -> web.Response:
    """POST api/contents/{path}: an empty entry or a copy, under a free name."""
    body = await read_json(request, _Create) or _Create()
    try:
        return await _create(request, body)
    except grpc.aio.AioRpcError as error:
        refused = reason_of(error) in ("NO_SUCH_ENTRY", "ENTRY_EXISTS")
        if refused and await _is_file(request, request[PARAMS]["path"]):
            raise Problem(400, "Cannot POST to files, use PUT instead.") from None
        raise


async def write(request: web.Request) -> web.Response:
    """PUT api/contents/{path}: replace or create an entry under this name."""
    incoming = Incoming(request.content, request.app[SETTINGS].max_body_bytes)
    if await large_notebooks.is_one(incoming, request.content_length):
        return await _write_large(request, incoming)
    body = await parse_given(await incoming.whole(), _Write)
    if body is None:
        return await _create(request, _Create())
    if body.copy_from:
        raise Problem(400, "Cannot copy with PUT, only POST")
    path = request[PARAMS]["path"]
    header = _write_header(request, body)
    if header.type != pb.ENTRY_TYPE_DIRECTORY and (not body.type or body.is_empty):
        await _refuse_to_guess(request, path, body)
    content = await _content(header, body)
    return _written(request, await streaming.write(request.app[STUBS].contents, header, content))


async def rename(request: web.Request) -> web.Response:
    """PATCH api/contents/{path}: move an entry without sending its content."""
    if not (await request.read()).strip():
        raise Problem(400, "JSON body missing")
    body = await read_json(request, _Rename) or _Rename()
    path = request[PARAMS]["path"]
    new_path = path if body.path is msgspec.UNSET else body.path.strip("/")
    reply = await request.app[STUBS].contents.RenameEntry(
        pb.RenameEntryRequest(path=path, new_path=new_path, if_hash=versions.required_hash(request))
    )
    return json_response(models.contents_model(reply.entry), 200, _placed(request, reply.entry))


async def delete(request: web.Request) -> web.Response:
    """DELETE api/contents/{path}."""
    path = request[PARAMS]["path"]
    await request.app[STUBS].contents.DeleteEntry(
        pb.DeleteEntryRequest(path=path, if_hash=versions.required_hash(request))
    )
    return no_content()


async def _with_content(
    request: web.Request, path: str, wanted: ContentsQuery
) -> web.StreamResponse:
    call = request.app[STUBS].contents.ReadContent(
        pb.ReadContentRequest(
            path=path, type=wanted.type, format=wanted.format, include_hash=wanted.hash
        )
    )
    try:
        responses = aiter(call)
        first = await anext(responses)
        if answer := versions.known_to(request, first.header.entry):
            return answer
        headers = {"Content-Type": _JSON, **versions.version_headers(first.header.entry)}
        model = streaming.Model(first)
        return await streaming.send(request, model.parts(responses), headers, model.size_bytes)
    finally:
        call.cancel()


async def _create(request: web.Request, body: _Create) -> web.Response:
    path = request[PARAMS]["path"]
    contents = request.app[STUBS].contents
    if body.copy_from:
        copied = await contents.CopyEntry(
            pb.CopyEntryRequest(path=body.copy_from.strip("/"), target_path=path)
        )
        entry = copied.entry
    else:
        kind = pb.ENTRY_TYPE_UNSPECIFIED
        if body.type:
            kind = ENTRY_TYPES.get(body.type, pb.ENTRY_TYPE_FILE)
        created = await contents.CreateEntry(
            pb.CreateEntryRequest(directory=path, type=kind, extension=body.ext or "")
        )
        entry = created.entry
    return json_response(models.contents_model(entry), 201, _placed(request, entry))


async def _write_large(request: web.Request, incoming: Incoming) -> web.Response:
    header = pb.WriteContentHeader(
        path=request[PARAMS]["path"],
        type=pb.ENTRY_TYPE_NOTEBOOK,
        format=pb.CONTENT_FORMAT_MODEL,
        size_bytes=request.content_length,
        **versions.required_of(request, is_directory=False),  # type: ignore[arg-type]
    )
    contents = request.app[STUBS].contents
    return _written(request, await large_notebooks.pass_on(contents, header, incoming))


def _written(
    request: web.Request, reply: pb.WriteContentResponse | pb.SaveContentResponse
) -> web.Response:
    model = models.contents_model(reply.entry, reply.validation_message)
    return json_response(model, 201 if reply.created else 200, _placed(request, reply.entry))


def _write_header(request: web.Request, body: _Write) -> pb.WriteContentHeader:
    path = request[PARAMS]["path"]
    kind = pb.ENTRY_TYPE_UNSPECIFIED
    if body.type:
        kind = ENTRY_TYPES.get(body.type, pb.ENTRY_TYPE_FILE)
    elif path.endswith(".ipynb"):
        kind = pb.ENTRY_TYPE_NOTEBOOK
    else:
        kind = pb.ENTRY_TYPE_FILE
    part = pb.WRITE_PART_WHOLE
    if body.chunk is not None:
        if not body.type:
            raise Problem(400, "No file type provided")
        if kind != pb.ENTRY_TYPE_FILE:
            name = body.type or "notebook"
            raise Problem(400, f'File type "{name}" is not supported for large file transfer')
        part = {1: pb.WRITE_PART_FIRST, -1: pb.WRITE_PART_LAST}.get(body.chunk, pb.WRITE_PART_NEXT)
    required = versions.required_of(request, is_directory=kind == pb.ENTRY_TYPE_DIRECTORY)
    return pb.WriteContentHeader(
        path=path,
        type=kind,
        format=_format(kind, body),
        part=part,
        **required,  # type: ignore[arg-type]
    )


def _format(kind: pb.EntryType, body: _Write) -> pb.ContentFormat:
    if kind == pb.ENTRY_TYPE_DIRECTORY:
        return pb.CONTENT_FORMAT_UNSPECIFIED
    if kind == pb.ENTRY_TYPE_NOTEBOOK:
        return pb.CONTENT_FORMAT_NOTEBOOK
    if body.is_empty:
        return pb.CONTENT_FORMAT_TEXT
    if body.format not in FORMATS:
        raise Problem(400, "Must specify format of file contents as 'text' or 'base64'")
    return FORMATS[body.format]


async def _refuse_to_guess(request: web.Request, path: str, body: _Write) -> None:
    """What is left out has a default for a new entry only: an old one would be lost.

    Raises:
        Problem: 400 if the entry exists.
    """
    if await _is_file(request, path):
        missing = "content" if body.type else "type"
        raise Problem(400, f"No file {missing} provided")


async def _is_file(request: web.Request, path: str) -> bool:
    try:
        reply = await request.app[STUBS].contents.GetEntry(
            pb.GetEntryRequest(path=path, untold=True)
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return reply.entry.type != pb.ENTRY_TYPE_DIRECTORY


async def _content(header: pb.WriteContentHeader, body: _Write) -> bytes | memoryview:
    if header.type == pb.ENTRY_TYPE_DIRECTORY:
        return b""
    if body.is_empty:
        return _NEW_NOTEBOOK if header.type == pb.ENTRY_TYPE_NOTEBOOK else b""
    if header.type == pb.ENTRY_TYPE_NOTEBOOK:
        notebook = memoryview(body.content)
        if not bytes(notebook[:1]) == b"{":
            raise Problem(400, "the content of a notebook must be an object")
        return notebook
    text = await parse(body.content, str)
    if header.format == pb.CONTENT_FORMAT_BINARY:
        try:
            if len(text) > ON_LOOP_BYTES:
                return await asyncio.to_thread(models.decode_base64, text)
            return models.decode_base64(text)
        except ValueError:
            raise Problem(400, f"Encoding error saving {header.path}: bad base64") from None
    return text.encode()


def _placed(request: web.Request, entry: pb.Entry) -> dict[str, str]:
    return {
        "Location": location(request, "api/contents", entry.path),
        **versions.version_headers(entry),
    }


ROUTES = (
    Route("GET", "api/contents/{path...}", read),
    Route("POST", "api/contents/{path...}", create),
    Route("PUT", "api/contents/{path...}", write),
    Route("PATCH", "api/contents/{path...}", rename),
    Route("DELETE", "api/contents/{path...}", delete),
)
