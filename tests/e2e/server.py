"""The server under test, as a person would be told about it."""

import dataclasses
import json
import urllib.request
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens, its token, and the directory it serves."""

    url: str
    """Base URL with a trailing slash."""
    token: str
    root_dir: Path

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send one REST request; returns the decoded JSON, or None without a body."""
        request = urllib.request.Request(  # noqa: S310, the URL is the test's own
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310, as above
            body = response.read()
        return json.loads(body) if body else None

    def kernel_ids(self) -> set[str]:
        """Return the ids of the running kernels."""
        return {kernel["id"] for kernel in self.request("GET", "api/kernels")}

    def shut_down_kernels(self) -> None:
        """Leave no kernel behind for the next test."""
        for session in self.request("GET", "api/sessions"):
            self.request("DELETE", f"api/sessions/{session['id']}")
        for kernel_id in self.kernel_ids():
            self.request("DELETE", f"api/kernels/{kernel_id}")

    def shut_down_terminals(self) -> None:
        """Leave no terminal behind for the next test."""
        for terminal in self.request("GET", "api/terminals"):
            self.request("DELETE", f"api/terminals/{terminal['name']}")
