"""Calls to whoever vouches for users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

TIMEOUT_S = 10.0
"""How long one of them may take."""

MAX_BYTES = 1024 * 1024
"""Largest answer."""


class Unreachable(Exception):
    """There was no answer that could be used."""


class Refused(Exception):
    """The answer is no."""


class Outside:
    """A client of others' HTTP, which follows no redirect and keeps no cookie."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        """Take how https is spoken; as the system does if nothing is said."""
        self._context = context
        self._http: aiohttp.ClientSession | None = None

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return a JSON object.

        Raises:
            Refused: if it is refused.
            Unreachable: if there is none.
        """
        return await self._ask("GET", url, headers=headers or {})

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> dict[str, Any]:
        """Send a form, or JSON, and return the JSON object that comes back.

        Raises:
            Refused: if it is refused.
            Unreachable: if there is none.
        """
        return await self._ask("POST", url, headers=headers, data=form, json=json)

    async def close(self) -> None:
        """Close the connections."""
        if self._http:
            await self._http.close()

    async def _ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - those of aiohttp
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            connector = aiohttp.TCPConnector(ssl=self._context or True)
            self._http = aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        try:
            async with self._http.request(
                method, url, allow_redirects=False, **options
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise Unreachable("the answer is too large")
                status = response.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unreachable(type(error).__name__) from None
        if 400 <= status < 500:  # noqa: PLR2004 - the class of statuses that say no
            raise Refused(f"status {status}")
        if not 200 <= status < 300:  # noqa: PLR2004 - and the one that says yes
            raise Unreachable(f"status {status}")
        try:
            return msgspec.json.decode(body or b"{}", type=dict[str, Any])
        except msgspec.MsgspecError:
            raise Unreachable("the answer is no JSON object") from None
