"""What went wrong in the page, whether or not the test looked at it."""

import dataclasses
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, Request, Response, WebSocket

RESULTS = Path("test-results")
"""Where pictures and the logs of failed tests go."""

ALLOWED = {
    "Could not restore the debugger state: Canceled future": (
        "the debugger panel had asked a kernel something when that kernel died, as the test wanted"
    ),
    "Could not restore the debugger state: Cannot read properties of undefined (reading": (
        "the same, where the error in place of the answer comes first, in which it expects a body"
    ),
}
"""Parts of tolerated console errors, each with the reason."""

ABORTED = "net::ERR_ABORTED"
"""How Chromium ends the requests of a page that is being left."""


@dataclasses.dataclass  # no slots: Playwright keeps its wrappers on the object
class Recorder:
    """Listens to one page from before its first request."""

    console: list[str] = dataclasses.field(default_factory=list)
    network: list[str] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)
    wanted: list[str] = dataclasses.field(default_factory=list)
    """Parts of problems that the test brings about."""
    leaving: bool = False
    """Set while the page is reloaded or closed: its open requests are then cut off."""

    def attach(self, page: Page) -> None:
        """Record the page's console and traffic from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._problem(self.console, f"uncaught: {error}"))
        page.on("response", self._on_response)
        page.on("requestfailed", self._on_failed)
        page.on("websocket", self._on_websocket)

    def assert_clean(self) -> None:
        """Fail with everything that was recorded as a problem."""
        assert not self.problems, "the page had problems:\n" + "\n".join(self.problems)

    def save(self, directory: Path) -> None:
        """Write both logs into a directory."""
        Path(directory, "console.log").write_text("\n".join(self.console) + "\n")
        Path(directory, "network.log").write_text("\n".join(self.network) + "\n")

    def _problem(self, log: list[str], line: str) -> None:
        log.append(line)
        if not any(part in line for part in (*ALLOWED, *self.wanted)):
            self.problems.append(line)

    def _on_console(self, message: ConsoleMessage) -> None:
        line = f"{message.type}: {message.text} ({message.location.get('url', '')})"
        if message.type == "error":
            self._problem(self.console, line)
        else:
            self.console.append(line)

    def _on_response(self, response: Response) -> None:
        line = f"{response.status} {response.request.method} {response.url}"
        if response.status >= 500:
            self._problem(self.network, line)
        else:
            self.network.append(line)

    def _on_failed(self, request: Request) -> None:
        line = f"failed: {request.failure} {request.method} {request.url}"
        if self.leaving and request.failure == ABORTED:
            self.network.append(line)
        else:
            self._problem(self.network, line)

    def _on_websocket(self, socket: WebSocket) -> None:
        self.network.append(f"websocket {socket.url}")
        socket.on(
            "socketerror",
            lambda error: self._problem(self.network, f"websocket failed: {error} {socket.url}"),
        )
