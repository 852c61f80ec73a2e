"""A client that sends what it is told, byte for byte, and keeps nothing."""

from __future__ import annotations

import http.client
import json as json_text
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GENEROUS_S = 90.0
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    phrase: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json_text.loads(self.body)

    @property
    def kind(self) -> str:
        """What the body is: `json`, `html`, `text` under the name of JSON, `empty` or `other`."""
        if not self.body:
            return "empty"
        content_type = self.headers.get("Content-Type", "")
        if content_type == "application/json":
            try:
                self.json  # noqa: B018 - raises if it is none
            except ValueError:
                return "text"
            return "json"
        return "html" if content_type.startswith("text/html") else "other"

    def cookies(self) -> dict[str, str]:
        """Return the cookies it sets, by name."""
        found = self.headers.get_all("Set-Cookie") or []
        pairs = (cookie.partition(";")[0].partition("=") for cookie in found)
        return {name: value.strip('"') for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and what the tests know of it."""

    url: str
    token: str
    root: Path | None
    """Its root directory, if the tests can look into it."""
    config: Path | None
    """Its user's Jupyter configuration, if the tests can look into it."""
    is_stock: bool
    """Whether it is another implementation, which then decides what is expected."""

    @property
    def base(self) -> str:
        """The base URL's path: begins and ends with a slash."""
        return urlsplit(self.url).path or "/"

    @property
    def netloc(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def ask(
        self,
        method: str,
        target: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = "",
    ) -> Answer:
        """Send one request on a connection of its own.

        Args:
            method: Any text.
            target: Below the base URL, or absolute if it begins with a slash; sent as it is.
            json: Sent as the body, if it is not None.
            body: The same, as bytes.
            headers: `Host` too, if it is to be another.
            token: For the header; empty for the server's, None for no such header.
        """
        if json is not None:
            body = json_text.dumps(json).encode()
        all_headers = dict(headers or {})
        if token is not None:
            all_headers.setdefault("Authorization", f"token {token or self.token}")
        path = target if target.startswith("/") else self.base + target
        connection = http.client.HTTPConnection(self.netloc, timeout=GENEROUS_S)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            all_headers.setdefault("Host", self.netloc)
            if body is not None or method in ("POST", "PUT", "PATCH"):
                all_headers.setdefault("Content-Length", str(len(body or b"")))
            for name, value in all_headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.reason, response.headers, response.read())
        finally:
            connection.close()


def cookie_header(answer: Answer) -> str:
    """Return what a browser sends back of the cookies of an answer."""
    return "; ".join(f'{name}="{value}"' for name, value in answer.cookies().items())
