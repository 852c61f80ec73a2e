"""Operations about documents."""

from __future__ import annotations

from perijove_gateway_http.spec.operation import Operation, Rows

_ENTRY = "api/contents/{path...}"
_CHECKPOINTS = _ENTRY + "/checkpoints"
_CHECKPOINT = _CHECKPOINTS + r"/{checkpoint_id:[\w-]+}"
_NBCONVERT = r"nbconvert/{format:\w+}"
_OF_AN_ENTRY = "Of an entry that has such a name: the same as of any entry"
_CONDITIONS = (409, 412, 507)
_CONVERSION = {200: "*/*", 302: ""}

_CHANGES: Rows = {
    ("POST", _ENTRY): Operation(
        "Create an entry, or copy one, under a free name",
        {201: "Contents"},
        _CONDITIONS,
        body="NewContents",
    ),
    ("PUT", _ENTRY): Operation(
        "Write an entry",
        {200: "Contents", 201: "Contents"},
        _CONDITIONS,
        body="WrittenContents",
    ),
    ("PATCH", _ENTRY): Operation(
        "Move an entry", {200: "Contents"}, _CONDITIONS, body="MovedContents"
    ),
    ("DELETE", _ENTRY): Operation("Delete an entry", {204: ""}, _CONDITIONS),
}

DOCUMENTS: Rows = {
    ("GET", _ENTRY): Operation(
        "Read an entry, or a directory",
        {200: "Contents"},
        (412,),
        query=("type", "format", "content", "hash"),
    ),
    **_CHANGES,
    ("GET", _CHECKPOINTS): Operation("The checkpoints of an entry", {200: "Anything"}),
    ("POST", _CHECKPOINTS): Operation("Make a checkpoint", {201: "Anything"}, _CONDITIONS),
    ("PUT", _CHECKPOINTS): Operation(
        _OF_AN_ENTRY, {200: "Contents", 201: "Contents"}, _CONDITIONS, body="WrittenContents"
    ),
    ("PATCH", _CHECKPOINTS): Operation(
        _OF_AN_ENTRY, {200: "Contents"}, _CONDITIONS, body="MovedContents"
    ),
    ("DELETE", _CHECKPOINTS): Operation(_OF_AN_ENTRY, {204: ""}, _CONDITIONS),
    ("GET", _CHECKPOINT): Operation(_OF_AN_ENTRY, {200: "Contents"}),
    ("POST", _CHECKPOINT): Operation(
        "Go back to a checkpoint", {201: "Contents", 204: ""}, _CONDITIONS
    ),
    ("PUT", _CHECKPOINT): Operation(
        _OF_AN_ENTRY, {200: "Contents", 201: "Contents"}, _CONDITIONS, body="WrittenContents"
    ),
    ("PATCH", _CHECKPOINT): Operation(
        _OF_AN_ENTRY, {200: "Contents"}, _CONDITIONS, body="MovedContents"
    ),
    ("DELETE", _CHECKPOINT): Operation("Delete a checkpoint", {204: ""}, _CONDITIONS),
    ("POST", _ENTRY + "/trust"): Operation("Trust a notebook", {201: ""}, _CONDITIONS),
    **{
        (method, "files/{path...}"): Operation(
            "The bytes of a file", {200: "*/*", 206: "*/*"}, (416,), query=("download",)
        )
        for method in ("GET", "HEAD")
    },
    ("GET", "view/{path...}"): Operation("A page around a file", {200: "text/html"}),
    ("GET", "api/nbconvert"): Operation("What notebooks can be converted to", {200: "Object"}),
    ("GET", _NBCONVERT + "/{path...}"): Operation(
        "A notebook in another format",
        _CONVERSION,
        (500,),
        query=("download", "sanitize_html"),
    ),
    ("POST", _NBCONVERT): Operation(
        "A notebook that is sent, in another format", {200: "*/*"}, (500,), body="NotebookModel"
    ),
    **{
        (method, pattern): Operation("An address of long ago: go to the new one", {302: ""})
        for pattern in ("api/notebooks", "api/notebooks/{path...}")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    },
    ("GET", "api/resolvePath"): Operation(
        "What a path means here, and to a kernel", {200: "Resolved"}, query=("path", "kernel")
    ),
}
