"""Everything but contents and kernels, asked wrongly."""

from __future__ import annotations

from tests.conformance.row import Row

WRONG_SERVICES = (
    # Configuration.
    Row("config-shape", "GET", "api/config/a.b", 404, "html"),
    Row("config-outside", "GET", "api/config/..%2fx", 404, "html"),
    Row("config-null", "PUT", "api/config/section", 400),
    # Identity.
    Row("me-empty", "PATCH", "api/me", 400),
    Row("me-unknown", "PATCH", "api/me", 400, json={"username": "root"}),
    Row("me-number", "PATCH", "api/me", 400, json={"name": 5}),
    Row("me-permissions", "GET", "api/me?permissions=[]", 400),
    Row("me-permissions-json", "GET", "api/me?permissions={", 400),
    Row("me-permissions-shape", "GET", "api/me?permissions={%22a%22:%22b%22}", 400),
    # Files.
    Row("file-missing", "GET", "files/nope.txt", 404, "html"),
    Row("file-hidden", "GET", "files/.hidden.txt", 404, "html"),
    Row("file-directory", "GET", "files/d", 403, "html"),
    Row("file-outside", "GET", "files/..%2fsecret.txt", 404, "html"),
    Row("file-outside-raw", "GET", "files/../secret.txt", 404, "html"),
    Row("file-nul", "GET", "files/a%00", 404, "html"),
    Row("file-range", "GET", "files/a.txt", 416, "html", headers={"Range": "bytes=9-"}),
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
