"""Every route with its methods, and what to send to them."""

from __future__ import annotations

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
    "api/terminals": {"GET", "POST"},
    "api/terminals/1": {"GET", "DELETE"},
    "api/config/section": {"GET", "PUT", "PATCH"},
    "api/nbconvert": {"GET"},
    "api/resolvePath": {"GET"},
    "api/security/csp-report": {"POST"},
    "lab/api/settings": {"GET", "PUT"},
    "lab/api/settings/@a/b:c": {"GET", "PUT"},
    "lab/api/workspaces": {"GET", "PUT", "DELETE"},
    "lab/api/workspaces/w": {"GET", "PUT", "DELETE"},
}
EMPTY_TEXT = {"type": "file", "format": "text", "content": ""}
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
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
    ("POST", "api/terminals"),
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
