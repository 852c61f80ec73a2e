"""Everything but contents and kernels, asked wrongly."""

from __future__ import annotations

from tests.conformance.given import Kind, Link
from tests.conformance.row import Row

WRONG_SERVICES = (
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
    Row(
        "file-range-empty",
        "GET",
        "files/x",
        416,
        "html",
        headers={"Range": "bytes=0-"},
        given={"x": ""},
    ),
    Row("file-range-of-none", "GET", "files/a.txt", 416, "html", headers={"Range": "bytes=-0"}),
    Row("file-range-backwards", "GET", "files/a.txt", 416, "html", headers={"Range": "bytes=3-1"}),
    Row("file-root", "GET", "files", 403, "html"),
    Row("file-root-slash", "GET", "files/", 403, "html"),
    Row("file-below-hidden", "GET", "files/.h/x.txt", 404, "html", given={".h/x.txt": "x"}),
    Row("file-below-file", "GET", "files/a.txt/x", 404, "html"),
    Row("file-pipe", "GET", "files/p", 403, "html", given={"p": Kind.FIFO}),
    Row("file-broken-link", "GET", "files/l", 403, "html", given={"l": Link("nowhere")}),
    Row("file-long-name", "GET", "files/" + "x" * 300, 404, "html"),
    Row("file-no-utf-8", "GET", "files/%ff", 400, "html"),
    Row("file-empty-segment", "GET", "files//a.txt", 404, "html"),
    Row("view-hidden", "GET", "view/.hidden.txt", 404, "html"),
    Row("view-root", "GET", "view/", 404, "html"),
    Row("view-pipe", "GET", "view/p", 404, "html", given={"p": Kind.FIFO}),
    Row("view-broken-link", "GET", "view/l", 404, "html", given={"l": Link("nowhere")}),
    *(
        Row(f"file-{name}-head", "HEAD", f"files/{path}", status, kind=None)
        for name, path, status in (
            ("missing", "nope.txt", 404),
            ("hidden", ".hidden.txt", 404),
            ("directory", "d", 403),
        )
    ),
    Row("file-options", "OPTIONS", "files/a.txt", 405, "html"),
    Row("view-options", "OPTIONS", "view/a.txt", 405, "html"),
    Row(
        "file-broken-link-head",
        "HEAD",
        "files/l",
        403,
        kind=None,
        given={"l": Link("nowhere")},
    ),
    Row("view-head", "HEAD", "view/a.txt", 405, kind=None),
    Row("view-post", "POST", "view/a.txt", 405, "html"),
    Row("file-post", "POST", "files/a.txt", 405, "html"),
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
