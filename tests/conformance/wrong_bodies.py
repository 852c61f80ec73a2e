"""Contents, asked wrongly: bodies and checkpoints."""

from __future__ import annotations

from tests.conformance.routes import CHECKPOINTS, EMPTY_TEXT
from tests.conformance.row import Row

WRONG_BODIES = (
    # Contents: bodies.
    Row("post-to-file", "POST", "api/contents/a.txt", 400, json={"type": "file"}),
    Row("copy-to-file", "POST", "api/contents/a.txt", 400, json={"copy_from": "bin.dat"}),
    Row("post-to-missing", "POST", "api/contents/nope", 404, json={"type": "file"}),
    Row("copy-missing", "POST", "api/contents/d", 404, json={"copy_from": "nope.txt"}),
    Row("copy-from-number", "POST", "api/contents/d", 400, json={"copy_from": 5}),
    Row("extension-number", "POST", "api/contents/d", 400, json={"ext": 5}),
    Row("type-list", "POST", "api/contents/d", 400, json={"type": ["file"]}),
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
    ),
    Row(
        "put-notebook-empty",
        "PUT",
        "api/contents/n.ipynb",
        400,
        json={"type": "notebook", "content": {}},
    ),
    Row("put-no-parent", "PUT", "api/contents/nope/x.txt", 404, json=EMPTY_TEXT),
    Row("put-over-directory", "PUT", "api/contents/d", 400, json=EMPTY_TEXT),
    Row("put-directory-over-file", "PUT", "api/contents/a.txt", 400, json={"type": "directory"}),
    Row(
        "put-type-number",
        "PUT",
        "api/contents/a.txt",
        400,
        json={"type": 5, "format": "text", "content": ""},
    ),
    Row("chunk-text", "PUT", "api/contents/z.txt", 400, json={**EMPTY_TEXT, "chunk": "x"}),
    Row(
        "chunk-notebook",
        "PUT",
        "api/contents/z.ipynb",
        400,
        json={"type": "notebook", "content": {}, "chunk": 1},
    ),
    Row("rename-no-body", "PATCH", "api/contents/a.txt", 400),
    Row("rename-to-null", "PATCH", "api/contents/a.txt", 400, json={"path": None}),
    Row("rename-to-number", "PATCH", "api/contents/a.txt", 400, json={"path": 5}),
    Row("rename-onto", "PATCH", "api/contents/a.txt", 409, json={"path": "d/c.txt"}),
    Row("rename-onto-root", "PATCH", "api/contents/a.txt", 409, json={"path": ""}),
    Row("rename-missing", "PATCH", "api/contents/nope.txt", 404, json={"path": "x.txt"}),
    Row("rename-into-itself", "PATCH", "api/contents/d", 400, json={"path": "d/e/f"}),
    Row("rename-no-parent", "PATCH", "api/contents/a.txt", 404, json={"path": "nope/a.txt"}),
    Row("delete-root", "DELETE", "api/contents", 400),
    Row("delete-missing", "DELETE", "api/contents/nope.txt", 404),
    # Checkpoints.
    Row("checkpoint-of-missing", "POST", "api/contents/nope.txt/checkpoints", 404),
    Row("restore-missing", "POST", f"{CHECKPOINTS}/nope", 404),
    Row("delete-checkpoint", "DELETE", f"{CHECKPOINTS}/nope", 404),
    Row("checkpoint-id", "DELETE", f"{CHECKPOINTS}/no.pe", 404),
)
