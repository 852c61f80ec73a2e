"""A proxy that sends each request to the next server, as one without stickiness does."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"}
GENEROUS_S = 90
ANY_SIZE = 0


class RoundRobin:
    """Passes requests and WebSockets on, each to the server whose turn it is."""

    def __init__(self, servers: Sequence[str]) -> None:
        """Take the base URLs of the servers, without a slash at the end."""
        self.servers = tuple(servers)
        self.counts = dict.fromkeys(servers, 0)
        self.url = ""
        self._turns = itertools.cycle(self.servers)
        self._stop: Callable[[], object]
        self._http: aiohttp.ClientSession

    def only(self, *servers: str) -> None:
        """Send everything to these from now on."""
        self._turns = itertools.cycle(servers)

    @contextlib.contextmanager
    def serving(self) -> Iterator[RoundRobin]:
        """Serve in a thread: the browser is driven from this one."""
        ready = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        thread.start()
        assert ready.wait(GENEROUS_S)
        try:
            yield self
        finally:
            self._stop()
            thread.join(GENEROUS_S)

    async def _serve(self, ready: threading.Event) -> None:
        told, loop = asyncio.Event(), asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(told.set)
        app = web.Application(client_max_size=ANY_SIZE)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        timeout = aiohttp.ClientTimeout(GENEROUS_S)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            timeout=timeout, cookie_jar=jar, auto_decompress=False
        ) as self._http:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            ready.set()
            await told.wait()
            await runner.cleanup()
        # Connections are closed in the next round of the loop.
        await asyncio.sleep(0.1)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        server = next(self._turns)
        self.counts[server] += 1
        target = server + request.raw_path
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, target)
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP
        }
        async with self._http.request(
            request.method,
            URL(target, encoded=True),
            headers=headers,
            data=await request.read() or None,
            allow_redirects=False,
        ) as answer:
            response = web.Response(status=answer.status, body=await answer.read())
            response.headers.clear()
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    response.headers.add(name, value)
            return response

    async def _socket(self, request: web.Request, target: str) -> web.StreamResponse:
        names = ("Cookie", "Origin", "Host", "User-Agent")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        offered = [
            one.strip() for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        ]
        async with self._http.ws_connect(
            URL(target, encoded=True),
            headers=headers,
            protocols=[one for one in offered if one],
            max_msg_size=ANY_SIZE,
        ) as above:
            chosen = [above.protocol] if above.protocol else []
            below = web.WebSocketResponse(protocols=chosen, max_msg_size=ANY_SIZE)
            await below.prepare(request)
            ways = [asyncio.ensure_future(_copy(*way)) for way in ((above, below), (below, above))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await below.close(code=above.close_code or aiohttp.WSCloseCode.OK)
            return below


async def _copy(
    source: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
    target: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        else:
            await target.send_bytes(message.data)
