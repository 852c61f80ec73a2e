"""Wrong requests and their answers: every REST route, asked wrongly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ID = "00000000-0000-4000-8000-000000000000"
KERNEL = f"api/kernels/{NO_ID}"
SESSION = f"api/sessions/{NO_ID}"
CHECKPOINTS = "api/contents/a.txt/checkpoints"

API_METHODS = {
    "api/status": {"GET"},
    "api/me": {"GET", "PATCH"},
    "api/contents": {"GET", "POST", "PUT", "PATCH", "DELETE"},
    "api/contents/a.txt": {"GET", "POST", "PUT", "PATCH", "DELETE"},
    CHECKPOINTS: {"GET", "POST"},
    f"{CHECKPOINTS}/checkpoint": {"POST", "DELETE"},
    "api/kernels": {"GET", "POST"},
    KERNEL: {"GET", "DELETE"},
    f"{KERNEL}/interrupt": {"POST"},
    f"{KERNEL}/restart": {"POST"},
    "api/kernelspecs": {"GET"},
    "api/kernelspecs/python3": {"GET"},
    "api/sessions": {"GET", "POST"},
    SESSION: {"GET", "PATCH", "DELETE"},
    "api/config/section": {"GET", "PUT", "PATCH"},
    "api/nbconvert": {"GET"},
    "api/resolvePath": {"GET"},
    "api/security/csp-report": {"POST"},
}
EMPTY_TEXT = {"type": "file", "format": "text", "content": ""}
SESSION_BODY = {"path": "n.ipynb", "type": "notebook"}
TOLD = "a value of the wrong type is refused, not ignored"
ABSENT = "what cannot be named does not exist: a 403 would say otherwise"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
MISTAKE = "what cannot be named may be absent, but to change it is a mistake"
PAGES = ("files/a.txt", "kernelspecs/python3/logo-64x64.png")
EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
TAKES_JSON = (
    ("PATCH", "api/me"),
    ("POST", "api/contents/d"),
    ("PUT", "api/contents/a.txt"),
    ("PATCH", "api/contents/a.txt"),
    ("POST", "api/kernels"),
    ("POST", "api/sessions"),
    ("PATCH", SESSION),
    ("PUT", "api/config/section"),
    ("PATCH", "api/config/section"),
)
NOT_OBJECTS = {
    "cut-off": b'{"path": ',
    "list": b"[]",
    "string": b'"x"',
    "number": b"5",
    "no-utf-8": b'\xff\xfe{"path": "x"}',
    "deep": b"[" * 100_000,
}


@dataclass(frozen=True)
class Row:
    """One wrong request and its answer."""

    id: str
    method: str
    target: str
    status: int
    kind: str = "json"
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    phrase: str | None = None
    stock: int | None = None
    """What jupyter_server 2.21 answers, where Perijove means to differ."""
    why: str = ""
    """Why it differs; a 500 needs no reason."""


ROWS = (
    # Contents: the query.
    Row("content-flag", "GET", "api/contents/a.txt?content=2", 400),
    Row("content-blank", "GET", "api/contents/a.txt?content=", 400),
    Row("hash-flag", "GET", "api/contents/a.txt?hash=yes", 400),
    Row("format-unknown", "GET", "api/contents/a.txt?format=json", 400),
    Row("last-argument-wins", "GET", "api/contents/a.txt?content=1&content=x", 400),
    Row("file-is-a-directory", "GET", "api/contents/d?type=file", 400, phrase="bad type"),
    Row("notebook-is-a-directory", "GET", "api/contents/d?type=notebook", 400, phrase="bad type"),
    Row("blank-type-is-file", "GET", "api/contents/d?type=", 400, phrase="bad type"),
    Row("directory-is-a-file", "GET", "api/contents/a.txt?type=directory", 400),
    Row("text-is-binary", "GET", "api/contents/bin.dat?format=text", 400, phrase="bad format"),
    Row("unreadable-notebook", "GET", "api/contents/broken.ipynb", 400),
    Row("hash-of-directory", "GET", "api/contents/d?hash=1&content=0", 400, stock=500),
    # Contents: paths.
    Row("missing", "GET", "api/contents/nope.txt", 404, "text"),
    Row("missing-without-content", "GET", "api/contents/nope.txt?content=0", 404, "text"),
    Row("hidden", "GET", "api/contents/.hidden.txt", 404, "text"),
    Row("below-a-file", "GET", "api/contents/a.txt/x", 404, "text", stock=500),
    Row("name-too-long", "GET", f"api/contents/{'x' * 300}", 404, stock=500),
    Row("outside", "GET", "api/contents/../secret.txt", 404),
    Row("outside-encoded", "GET", "api/contents/%2e%2e/secret.txt", 404),
    Row("outside-encoded-slash", "GET", "api/contents/..%2fsecret.txt", 404),
    Row("outside-all-encoded", "GET", "api/contents/%2e%2e%2fsecret.txt", 404),
    Row("outside-deep", "GET", "api/contents/d/../../secret.txt", 404),
    Row("absolute", "GET", "api/contents/%2fetc%2fpasswd", 404, "text"),
    Row("twice-encoded", "GET", "api/contents/%252e%252e%252fsecret.txt", 404, "text"),
    Row("nul", "GET", "api/contents/a%00.txt", 404),
    Row("no-utf-8", "GET", "api/contents/%ff.txt", 400),
    Row("cut-escape", "GET", "api/contents/per%cent.txt", 400),
    Row("empty-segment", "GET", "api/contents//a.txt", 404, "html"),
    Row(
        "put-outside", "PUT", "api/contents/../x.txt", 400, json=EMPTY_TEXT, stock=404, why=MISTAKE
    ),
    Row(
        "put-outside-encoded",
        "PUT",
        "api/contents/%2e%2e%2fx.txt",
        400,
        json=EMPTY_TEXT,
        stock=404,
        why=MISTAKE,
    ),
    Row("delete-outside", "DELETE", "api/contents/..%2fsecret.txt", 400, stock=404, why=MISTAKE),
    Row(
        "rename-outside",
        "PATCH",
        "api/contents/a.txt",
        400,
        json={"path": "../a.txt"},
        stock=404,
        why=MISTAKE,
    ),
    Row(
        "rename-from-outside",
        "PATCH",
        "api/contents/..%2fsecret.txt",
        400,
        json={"path": "s.txt"},
        stock=404,
        why=MISTAKE,
    ),
    Row(
        "copy-from-outside",
        "POST",
        "api/contents/d",
        400,
        json={"copy_from": "../secret.txt"},
        stock=404,
        why=MISTAKE,
    ),
    Row(
        "create-outside",
        "POST",
        "api/contents/..",
        400,
        json={"type": "file"},
        stock=404,
        why=MISTAKE,
    ),
    Row(
        "extension-with-slash",
        "POST",
        "api/contents/d",
        400,
        json={"ext": "/../../x.txt"},
        stock=201,
        why="an extension is no path",
    ),
    # Contents: hidden entries are not to be changed.
    Row("put-hidden", "PUT", "api/contents/.new.txt", 400, json=EMPTY_TEXT),
    Row("delete-hidden", "DELETE", "api/contents/.hidden.txt", 400),
    Row("rename-hidden", "PATCH", "api/contents/.hidden.txt", 400, json={"path": "v.txt"}),
    Row("rename-to-hidden", "PATCH", "api/contents/a.txt", 400, json={"path": ".a.txt"}),
    Row("copy-hidden", "POST", "api/contents/d", 400, json={"copy_from": ".hidden.txt"}),
    # Contents: bodies.
    Row(
        "post-to-file",
        "POST",
        "api/contents/a.txt",
        404,
        json={"type": "file"},
        stock=400,
        why="there is no such directory",
    ),
    Row("post-to-missing", "POST", "api/contents/nope", 404, json={"type": "file"}),
    Row("copy-missing", "POST", "api/contents/d", 404, json={"copy_from": "nope.txt"}),
    Row("copy-from-number", "POST", "api/contents/d", 400, json={"copy_from": 5}, stock=500),
    Row("extension-number", "POST", "api/contents/d", 400, json={"ext": 5}, stock=500),
    Row("type-list", "POST", "api/contents/d", 400, json={"type": ["file"]}, stock=500),
    Row("put-copy", "PUT", "api/contents/z.txt", 400, json={"copy_from": "a.txt"}),
    Row("put-no-type", "PUT", "api/contents/a.txt", 400, json={"format": "text", "content": "x"}),
    Row(
        "put-no-content", "PUT", "api/contents/a.txt", 400, json={"type": "file", "format": "text"}
    ),
    Row("put-no-format", "PUT", "api/contents/a.txt", 400, json={"type": "file", "content": "x"}),
    Row(
        "put-bad-format",
        "PUT",
        "api/contents/a.txt",
        400,
        json={"type": "file", "format": "json", "content": "x"},
    ),
    Row(
        "put-bad-base64",
        "PUT",
        "api/contents/a.txt",
        400,
        json={**EMPTY_TEXT, "format": "base64", "content": "a"},
    ),
    Row(
        "put-base64-letters",
        "PUT",
        "api/contents/a.txt",
        400,
        json={**EMPTY_TEXT, "format": "base64", "content": "\u00e4\u00f6"},
    ),
    Row(
        "put-content-object",
        "PUT",
        "api/contents/a.txt",
        400,
        json={**EMPTY_TEXT, "content": {"a": 1}},
    ),
    Row("put-content-number", "PUT", "api/contents/a.txt", 400, json={**EMPTY_TEXT, "content": 5}),
    Row(
        "put-notebook-text",
        "PUT",
        "api/contents/n.ipynb",
        400,
        json={"type": "notebook", "content": "x"},
        stock=500,
    ),
    Row(
        "put-notebook-empty",
        "PUT",
        "api/contents/n.ipynb",
        400,
        json={"type": "notebook", "content": {}},
        stock=500,
    ),
    Row("put-no-parent", "PUT", "api/contents/nope/x.txt", 404, json=EMPTY_TEXT, stock=500),
    Row("put-over-directory", "PUT", "api/contents/d", 400, json=EMPTY_TEXT, stock=500),
    Row("put-directory-over-file", "PUT", "api/contents/a.txt", 400, json={"type": "directory"}),
    Row(
        "put-type-number",
        "PUT",
        "api/contents/a.txt",
        400,
        json={"type": 5, "format": "text", "content": ""},
        stock=200,
        why=TOLD,
    ),
    Row(
        "chunk-text",
        "PUT",
        "api/contents/z.txt",
        400,
        json={**EMPTY_TEXT, "chunk": "x"},
        stock=201,
        why=TOLD,
    ),
    Row(
        "chunk-notebook",
        "PUT",
        "api/contents/z.ipynb",
        400,
        json={"type": "notebook", "content": {}, "chunk": 1},
    ),
    Row("rename-no-body", "PATCH", "api/contents/a.txt", 400),
    Row("rename-to-null", "PATCH", "api/contents/a.txt", 400, json={"path": None}, stock=500),
    Row("rename-to-number", "PATCH", "api/contents/a.txt", 400, json={"path": 5}, stock=500),
    Row("rename-onto", "PATCH", "api/contents/a.txt", 409, json={"path": "d/c.txt"}),
    Row("rename-onto-root", "PATCH", "api/contents/a.txt", 409, json={"path": ""}),
    Row("rename-missing", "PATCH", "api/contents/nope.txt", 404, json={"path": "x.txt"}),
    Row("rename-into-itself", "PATCH", "api/contents/d", 400, json={"path": "d/e/f"}, stock=500),
    Row("rename-no-parent", "PATCH", "api/contents/a.txt", 404, json={"path": "nope/a.txt"}),
    Row("delete-root", "DELETE", "api/contents", 400),
    Row("delete-missing", "DELETE", "api/contents/nope.txt", 404),
    # Checkpoints.
    Row("checkpoint-of-missing", "POST", "api/contents/nope.txt/checkpoints", 404, stock=500),
    Row("restore-missing", "POST", f"{CHECKPOINTS}/nope", 404, stock=500),
    Row("delete-checkpoint", "DELETE", f"{CHECKPOINTS}/nope", 404),
    Row("checkpoint-id", "DELETE", f"{CHECKPOINTS}/no.pe", 404, stock=500),
    # Kernels.
    Row("kernel", "GET", KERNEL, 404),
    Row("kernel-delete", "DELETE", KERNEL, 404),
    Row("kernel-interrupt", "POST", f"{KERNEL}/interrupt", 404),
    Row("kernel-restart", "POST", f"{KERNEL}/restart", 404, stock=500),
    Row("kernel-shape", "GET", "api/kernels/bogus", 404, "html"),
    Row("kernel-name", "POST", "api/kernels", 400, json={"name": "no-such-kernel"}, stock=500),
    Row("kernel-name-number", "POST", "api/kernels", 400, json={"name": 5}, stock=500),
    Row("kernel-path-number", "POST", "api/kernels", 400, json={"path": 5}, stock=201, why=TOLD),
    Row("kernel-env-list", "POST", "api/kernels", 400, json={"env": []}, stock=201, why=TOLD),
    Row(
        "kernel-env-number",
        "POST",
        "api/kernels",
        400,
        json={"env": {"KERNEL_X": 5}},
        stock=201,
        why=TOLD,
    ),
    # Kernelspecs.
    Row("kernelspec", "GET", "api/kernelspecs/nope", 404),
    Row("kernelspec-shape", "GET", "api/kernelspecs/a%2fb", 404),
    Row("resource", "GET", "kernelspecs/python3/nope.png", 404, "html"),
    Row("resource-of-nothing", "GET", "kernelspecs/nope/logo-64x64.png", 404, "html"),
    Row(
        "resource-outside",
        "GET",
        "kernelspecs/python3/..%2f..%2fsecret.txt",
        400,
        "html",
        stock=403,
        why=ABSENT,
    ),
    Row("resource-up", "GET", "kernelspecs/python3/%2e%2e", 400, "html", stock=403, why=ABSENT),
    # Sessions.
    Row("session", "GET", SESSION, 404),
    Row("session-delete", "DELETE", SESSION, 404),
    Row("session-patch", "PATCH", SESSION, 404, json={"name": "x"}),
    Row("session-shape", "GET", "api/sessions/bogus", 404, "html"),
    Row("session-empty", "POST", "api/sessions", 400),
    Row("session-no-path", "POST", "api/sessions", 400, json={"type": "notebook"}),
    Row("session-no-type", "POST", "api/sessions", 400, json={"path": "n.ipynb"}),
    Row(
        "session-path-number",
        "POST",
        "api/sessions",
        400,
        json={"path": 5, "type": "notebook"},
        stock=500,
    ),
    Row(
        "session-name-number",
        "POST",
        "api/sessions",
        400,
        json={**SESSION_BODY, "name": 5},
        stock=500,
    ),
    Row(
        "session-kernel-text",
        "POST",
        "api/sessions",
        400,
        json={**SESSION_BODY, "kernel": "x"},
        stock=500,
    ),
    Row(
        "session-kernel-name",
        "POST",
        "api/sessions",
        501,
        json={**SESSION_BODY, "kernel": {"name": "no-such-kernel"}},
    ),
    # Configuration.
    Row("config-shape", "GET", "api/config/a.b", 404, "html"),
    Row("config-outside", "GET", "api/config/..%2fx", 404, "html"),
    Row("config-null", "PUT", "api/config/section", 400, stock=500),
    # Identity.
    Row("me-empty", "PATCH", "api/me", 400),
    Row("me-unknown", "PATCH", "api/me", 400, json={"username": "root"}),
    Row("me-number", "PATCH", "api/me", 400, json={"name": 5}, stock=200, why=TOLD),
    Row("me-permissions", "GET", "api/me?permissions=[]", 400),
    Row("me-permissions-json", "GET", "api/me?permissions={", 400),
    Row("me-permissions-shape", "GET", "api/me?permissions={%22a%22:%22b%22}", 400),
    # Files.
    Row("file-missing", "GET", "files/nope.txt", 404, "html"),
    Row("file-hidden", "GET", "files/.hidden.txt", 404, "html"),
    Row("file-directory", "GET", "files/d", 403, "html"),
    Row("file-outside", "GET", "files/..%2fsecret.txt", 404, "html", stock=403, why=ABSENT),
    Row("file-outside-raw", "GET", "files/../secret.txt", 404, "html", stock=403, why=ABSENT),
    Row("file-nul", "GET", "files/a%00", 404, "html", stock=500),
    Row(
        "file-range",
        "GET",
        "files/a.txt",
        416,
        "html",
        headers={"Range": "bytes=9-"},
        stock=416,
        why="every error has a page",
    ),
    Row("view-missing", "GET", "view/nope.txt", 404, "html"),
    Row("view-directory", "GET", "view/d", 404, "html"),
    Row("view-outside", "GET", "view/..%2fsecret.txt", 404, "html"),
    # Small services.
    Row("resolve-nothing", "GET", "api/resolvePath", 400),
    # Addresses.
    Row("unknown", "GET", "nope", 404, "html"),
    Row("unknown-api", "GET", "api/nope", 404, "html"),
    Row("unknown-put", "PUT", "api/nope", 404, "html"),
    Row("api-encoded", "GET", "%61pi", 404, "html"),
    Row("odd-method", "PROPFIND", "api/status", 405),
)
