"""Contents, asked wrongly: queries and paths."""

from __future__ import annotations

from tests.conformance.given import Kind, Link
from tests.conformance.routes import EMPTY_TEXT
from tests.conformance.row import Row
from tests.conformance.samples import NOTEBOOK

WRONG_PATHS = (
    # Contents: the query.
    Row("content-flag", "GET", "api/contents/a.txt?content=2", 400),
    Row("content-blank", "GET", "api/contents/a.txt?content=", 400),
    Row("hash-flag", "GET", "api/contents/a.txt?hash=yes", 400),
    Row("format-unknown", "GET", "api/contents/a.txt?format=json", 400),
    Row("hash-blank", "GET", "api/contents/a.txt?hash=", 400),
    Row("format-blank", "GET", "api/contents/a.txt?format=", 400),
    Row("last-argument-wins", "GET", "api/contents/a.txt?content=1&content=x", 400),
    Row("file-is-a-directory", "GET", "api/contents/d?type=file", 400, phrase="bad type"),
    Row("notebook-is-a-directory", "GET", "api/contents/d?type=notebook", 400, phrase="bad type"),
    Row("blank-type-is-file", "GET", "api/contents/d?type=", 400, phrase="bad type"),
    Row("directory-is-a-file", "GET", "api/contents/a.txt?type=directory", 400, phrase="bad type"),
    Row("text-is-binary", "GET", "api/contents/bin.dat?format=text", 400, phrase="bad format"),
    Row("unreadable-notebook", "GET", "api/contents/broken.ipynb", 400),
    Row("hash-of-directory", "GET", "api/contents/d?hash=1&content=0", 400),
    Row("text-as-notebook", "GET", "api/contents/a.txt?type=notebook", 400),
    Row(
        "notebook-of-the-future",
        "GET",
        "api/contents/x.ipynb",
        400,
        given={"x.ipynb": NOTEBOOK | {"nbformat": 5}},
    ),
    Row(
        "notebook-that-is-a-list",
        "GET",
        "api/contents/x.ipynb",
        400,
        given={"x.ipynb": "[]"},
    ),
    Row(
        "interrupted-save",
        "GET",
        "api/contents/x.ipynb",
        400,
        given={"x.ipynb": "{", ".~x.ipynb": NOTEBOOK},
    ),
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
    Row("lone-surrogate", "GET", "api/contents/%ed%a0%80.txt", 400),
    Row("one-dot", "GET", "api/contents/d/./c.txt", 404),
    Row("two-dots-inside", "GET", "api/contents/d/../a.txt", 404),
    Row("empty-segment-encoded", "GET", "api/contents/d%2F%2Fnope.txt", 404, "text"),
    Row("path-too-long", "GET", "api/contents" + "/x" * 3000, 404),
    Row("unnormalised", "GET", "api/contents/%C3%A9.txt", 404, "text", given={"e\u0301.txt": ""}),
    Row("sibling-with-the-same-beginning", "GET", "api/contents/../root-evil/x.txt", 404),
    # Contents: what is neither file nor directory.
    Row("broken-link", "GET", "api/contents/l", 400, given={"l": Link("nowhere")}),
    Row("link-to-itself", "GET", "api/contents/l", 404, given={"l": Link("l")}),
    Row("pipe", "GET", "api/contents/p", 400, given={"p": Kind.FIFO}),
    Row("pipe-without-content", "GET", "api/contents/p?content=0", 400, given={"p": Kind.FIFO}),
    Row("pipe-as-text", "GET", "api/contents/p?format=text", 400, given={"p": Kind.FIFO}),
    Row("socket", "GET", "api/contents/s", 400, given={"s": Kind.SOCKET}),
    Row("link-to-device", "GET", "api/contents/l", 400, given={"l": Link("/dev/null")}),
    Row("put-to-pipe", "PUT", "api/contents/p", 400, json=EMPTY_TEXT, given={"p": Kind.FIFO}),
    Row(
        "copy-pipe", "POST", "api/contents/d", 400, json={"copy_from": "p"}, given={"p": Kind.FIFO}
    ),
    *(
        Row(f"slash-at-the-end-{method.lower()}", method, "api/contents/d/", status, kind=None)
        for method, status in {
            "GET": 302,
            "HEAD": 405,
            "OPTIONS": 405,
            **dict.fromkeys(("POST", "PUT", "PATCH", "DELETE"), 403),
        }.items()
    ),
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
    # Contents: hidden entries are not there, and not to be changed.
    Row("below-hidden", "GET", "api/contents/.h/x.txt", 404, "text", given={".h/x.txt": ""}),
    Row("hidden-directory", "GET", "api/contents/.h", 404, "text", given={".h/x.txt": ""}),
    Row("hidden-without-content", "GET", "api/contents/.hidden.txt?content=0", 404, "text"),
    Row("checkpoints-are-hidden", "GET", "api/contents/.ipynb_checkpoints", 404, "text"),
    Row("put-hidden", "PUT", "api/contents/.new.txt", 400, json=EMPTY_TEXT),
    Row("put-onto-hidden", "PUT", "api/contents/.hidden.txt", 400, json=EMPTY_TEXT),
    Row("put-below-hidden", "PUT", "api/contents/.h/x.txt", 400, json=EMPTY_TEXT),
    Row("put-hidden-directory", "PUT", "api/contents/.new", 400, json={"type": "directory"}),
    Row("put-hidden-notebook", "PUT", "api/contents/.n.ipynb", 400, json={"type": "notebook"}),
    Row("put-hidden-chunk", "PUT", "api/contents/.n.txt", 400, json={**EMPTY_TEXT, "chunk": 1}),
    Row("delete-hidden", "DELETE", "api/contents/.hidden.txt", 400),
    Row("delete-hidden-missing", "DELETE", "api/contents/.nope.txt", 400),
    Row("delete-below-hidden", "DELETE", "api/contents/.h/x.txt", 400, given={".h/x.txt": ""}),
    Row("rename-hidden", "PATCH", "api/contents/.hidden.txt", 400, json={"path": "v.txt"}),
    Row("rename-hidden-missing", "PATCH", "api/contents/.nope.txt", 400, json={"path": "v.txt"}),
    Row("rename-to-hidden", "PATCH", "api/contents/a.txt", 400, json={"path": ".a.txt"}),
    Row("rename-below-hidden", "PATCH", "api/contents/a.txt", 400, json={"path": "d/.h/a.txt"}),
    Row("copy-hidden", "POST", "api/contents/d", 400, json={"copy_from": ".hidden.txt"}),
    Row("copy-hidden-missing", "POST", "api/contents/d", 400, json={"copy_from": ".nope.txt"}),
    Row("copy-to-hidden", "POST", "api/contents/.new", 400, json={"copy_from": "a.txt"}),
    Row("create-in-hidden", "POST", "api/contents/.h", 400, given={".h": Kind.DIRECTORY}),
)
