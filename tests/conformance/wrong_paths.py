"""Contents, asked wrongly: queries and paths."""

from __future__ import annotations

from tests.conformance.routes import EMPTY_TEXT
from tests.conformance.row import Row

WRONG_PATHS = (
    # Contents: the query.
    Row("content-flag", "GET", "api/contents/a.txt?content=2", 400),
    Row("content-blank", "GET", "api/contents/a.txt?content=", 400),
    Row("hash-flag", "GET", "api/contents/a.txt?hash=yes", 400),
    Row("format-unknown", "GET", "api/contents/a.txt?format=json", 400),
    Row("last-argument-wins", "GET", "api/contents/a.txt?content=1&content=x", 400),
    Row("file-is-a-directory", "GET", "api/contents/d?type=file", 400, phrase="bad type"),
    Row("notebook-is-a-directory", "GET", "api/contents/d?type=notebook", 400, phrase="bad type"),
    Row("blank-type-is-file", "GET", "api/contents/d?type=", 400, phrase="bad type"),
    Row("directory-is-a-file", "GET", "api/contents/a.txt?type=directory", 400, phrase="bad type"),
    Row("text-is-binary", "GET", "api/contents/bin.dat?format=text", 400, phrase="bad format"),
    Row("unreadable-notebook", "GET", "api/contents/broken.ipynb", 400),
    Row("hash-of-directory", "GET", "api/contents/d?hash=1&content=0", 400),
    # Contents: paths.
    Row("missing", "GET", "api/contents/nope.txt", 404, "text"),
    Row("missing-without-content", "GET", "api/contents/nope.txt?content=0", 404, "text"),
    Row("hidden", "GET", "api/contents/.hidden.txt", 404, "text"),
    Row("below-a-file", "GET", "api/contents/a.txt/x", 404, "text"),
    Row("name-too-long", "GET", f"api/contents/{'x' * 300}", 404),
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
    Row("put-outside", "PUT", "api/contents/../x.txt", 400, json=EMPTY_TEXT),
    Row("put-outside-encoded", "PUT", "api/contents/%2e%2e%2fx.txt", 400, json=EMPTY_TEXT),
    Row("delete-outside", "DELETE", "api/contents/..%2fsecret.txt", 400),
    Row("rename-outside", "PATCH", "api/contents/a.txt", 400, json={"path": "../a.txt"}),
    Row(
        "rename-from-outside", "PATCH", "api/contents/..%2fsecret.txt", 400, json={"path": "s.txt"}
    ),
    Row("copy-from-outside", "POST", "api/contents/d", 400, json={"copy_from": "../secret.txt"}),
    Row("create-outside", "POST", "api/contents/..", 400, json={"type": "file"}),
    Row("extension-with-slash", "POST", "api/contents/d", 400, json={"ext": "/../../x.txt"}),
    # Contents: hidden entries are not to be changed.
    Row("put-hidden", "PUT", "api/contents/.new.txt", 400, json=EMPTY_TEXT),
    Row("delete-hidden", "DELETE", "api/contents/.hidden.txt", 400),
    Row("rename-hidden", "PATCH", "api/contents/.hidden.txt", 400, json={"path": "v.txt"}),
    Row("rename-to-hidden", "PATCH", "api/contents/a.txt", 400, json={"path": ".a.txt"}),
    Row("copy-hidden", "POST", "api/contents/d", 400, json={"copy_from": ".hidden.txt"}),
)
