"""A running edge as tests see it, and the contents process behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import aiohttp
    from aiohttp import web
    from aiohttp.client import _RequestContextManager

    MakeEdge = Callable[..., Awaitable["Edge"]]
    Write = Callable[[Path, object], None]

SERVICE_KEY = "0123456789abcdef" * 4
TOKEN = "a-token-of-tests"


@dataclass(frozen=True, slots=True)
class ContentsProcess:
    """A contents process and where it keeps things."""

    target: str
    directory: Path

    @property
    def settings_dir(self) -> Path:
        return self.directory / "user-settings"

    @property
    def workspaces_dir(self) -> Path:
        return self.directory / "workspaces"


class Edge:
    """A running edge, and a browserless client of it."""

    def __init__(self, url: URL, http: aiohttp.ClientSession, app: web.Application) -> None:
        self.url = url
        self.http = http
        self.app = app

    def request(self, method: str, path: str, **options: Any) -> _RequestContextManager:
        """Ask for a path below the base URL, exactly as it is written."""
        headers = {"Authorization": f"token {TOKEN}", **options.pop("headers", {})}
        url = URL(f"{self.url}{path}", encoded=True)
        options.setdefault("allow_redirects", False)
        return self.http.request(method, url, headers=headers, **options)

    def get(self, path: str, **options: Any) -> _RequestContextManager:
        return self.request("GET", path, **options)

    def put(self, path: str, **options: Any) -> _RequestContextManager:
        return self.request("PUT", path, **options)

    async def json(self, path: str) -> Any:
        """Return what a path answers, which must be JSON and a success."""
        async with self.get(path) as response:
            body = await response.read()
            assert response.status == 200, body
            assert response.headers["Content-Type"] == "application/json"
            return msgspec.json.decode(body)

    async def raw_status(self, target: str) -> int:
        """Return the status for a request line that no client library would send."""
        assert self.url.host
        assert self.url.port
        reader, writer = await asyncio.open_connection(self.url.host, self.url.port)
        head = f"GET {target} HTTP/1.1\r\nHost: {self.url.host}\r\nConnection: close\r\n"
        writer.write(f"{head}Authorization: token {TOKEN}\r\n\r\n".encode())
        status = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return int(status.split()[1])
