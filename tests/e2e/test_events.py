"""Events as JupyterLab in a browser gets them."""

import json

from playwright.sync_api import Page, WebSocket

from tests.e2e.lab import Lab

SUBSCRIBE = "/api/events/subscribe"


def test_lab_is_told_what_others_do(page: Page, lab: Lab) -> None:
    opened: list[WebSocket] = []
    page.on("websocket", lambda socket: opened.append(socket))  # noqa: PLW0108 - it wants a function
    lab.reload()
    (socket,) = [one for one in opened if SUBSCRIBE in one.url]
    path = f"{lab.folder}/from-elsewhere.txt"
    body = {"type": "file", "format": "text", "content": "x"}
    with socket.expect_event("framereceived", lambda frame: _saves(frame, path)):
        lab.server.request("PUT", f"api/contents/{path}", body)
    assert not socket.is_closed()


def _saves(frame: str | bytes, path: str) -> bool:
    told = json.loads(frame)
    return (told.get("action"), told.get("path")) == ("save", path)
