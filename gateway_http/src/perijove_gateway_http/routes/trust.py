"""`api/contents/{path}/trust`: the user says that the outputs of a notebook may be shown."""

from __future__ import annotations

from aiohttp import web
from perijove.contents.v1 import contents_pb2 as pb

from perijove_gateway_http.keys import PARAMS, STUBS
from perijove_gateway_http.routing import Guard, Route


async def trust(request: web.Request) -> web.Response:
    """POST api/contents/{path}/trust: sign the notebook as it is stored."""
    await request.app[STUBS].contents.TrustNotebook(
        pb.TrustNotebookRequest(path=request[PARAMS]["path"])
    )
    return web.Response(status=201, headers={"Content-Type": "text/html; charset=UTF-8"})


# Its errors are pages: clients know it as one.
ROUTES = (Route("POST", "api/contents/{path...}/trust", trust, Guard.PAGE),)
