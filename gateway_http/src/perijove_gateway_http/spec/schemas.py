"""What travels: JSON schemas, by name."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
NUMBER: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
OBJECT: Schema = {"type": "object"}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _shown(optional: Schema | None = None, /, **always: Schema) -> Schema:
    """Return the schema of an answer: these members are always there."""
    members = {**always, **(optional or {})}
    return {"type": "object", "properties": members, "required": list(always)}


def _sent(**members: Schema) -> Schema:
    """Return the schema of a body: each member may be left out."""
    return {"type": "object", "properties": members}


SCHEMAS: dict[str, Schema] = {
    "Error": _shown(
        {"traceback": TEXT, "short_message": TEXT}, message=TEXT, reason=_or_null(TEXT)
    ),
    "Version": _shown(version=TEXT),
    "Status": _shown(connections=NUMBER, kernels=NUMBER, last_activity=TIME, started=TIME),
    "Object": OBJECT,
    "Anything": ANYTHING,
    "User": _shown(
        username=TEXT,
        name=TEXT,
        display_name=TEXT,
        initials=_or_null(TEXT),
        avatar_url=_or_null(TEXT),
        color=_or_null(TEXT),
    ),
    "Me": _shown(identity=_ref("User"), permissions=OBJECT),
    "ChangedMe": _shown(status=TEXT, identity=_ref("User")),
    "UserChange": _sent(
        name=TEXT,
        display_name=TEXT,
        initials=TEXT,
        avatar_url=_or_null(TEXT),
        color=_or_null(TEXT),
    ),
    "Contents": _shown(
        {"message": TEXT},
        name=TEXT,
        path=TEXT,
        type={"type": "string", "enum": ["file", "notebook", "directory"]},
        created=TIME,
        last_modified=TIME,
        format=_or_null(TEXT),
        mimetype=_or_null(TEXT),
        size=_or_null(NUMBER),
        writable=TRUTH,
        hash=_or_null(TEXT),
        hash_algorithm=_or_null(TEXT),
        content=ANYTHING,
    ),
    "NewContents": _sent(
        type={"type": "string", "enum": ["file", "notebook", "directory"]},
        ext=TEXT,
        copy_from=TEXT,
    ),
    "WrittenContents": _sent(
        type={"type": "string", "enum": ["file", "notebook", "directory"]},
        format={"type": "string", "enum": ["text", "base64", "json"]},
        content=ANYTHING,
        chunk=NUMBER,
    ),
    "MovedContents": {**_sent(path=TEXT), "required": ["path"]},
    "Checkpoint": _shown(id=TEXT, last_modified=TIME),
    "Kernel": _shown(
        {"last_exit": OBJECT, "reason": TEXT, "traceback": TEXT},
        id=TEXT,
        name=TEXT,
        last_activity=TIME,
        execution_state=TEXT,
        connections=NUMBER,
    ),
    "NewKernel": _sent(
        name=TEXT,
        path=TEXT,
        kernel_id=TEXT,
        env={"type": "object", "additionalProperties": TEXT},
    ),
    "Kernelspec": _shown(name=TEXT, spec=OBJECT, resources=OBJECT),
    "Kernelspecs": _shown(
        default=TEXT,
        kernelspecs={"type": "object", "additionalProperties": _ref("Kernelspec")},
    ),
    "Session": _shown(
        {"notebook": OBJECT},
        id=TEXT,
        path=TEXT,
        name=_or_null(TEXT),
        type=TEXT,
        kernel=_ref("Kernel"),
    ),
    "NewSession": {
        **_sent(path=TEXT, name=TEXT, type=TEXT, kernel=_sent(id=TEXT, name=TEXT)),
        "required": ["path", "type"],
    },
    "SessionChange": _sent(path=TEXT, name=TEXT, type=TEXT, kernel=_sent(id=TEXT, name=TEXT)),
    "Terminal": _shown(name=TEXT, last_activity=TIME),
    "NewTerminal": _sent(cwd=TEXT, name={**TEXT, "pattern": r"^\w+$"}),
    "Event": {
        **_sent(
            schema_id=TEXT, version={"type": ["string", "integer"]}, data=OBJECT, timestamp=TEXT
        ),
        "required": ["schema_id", "version", "data"],
    },
    "Resolved": _shown({"unresolved": _list_of(OBJECT)}, resolved=_list_of(OBJECT)),
    "Setting": {**_sent(raw=TEXT), "required": ["raw"]},
    "Workspace": _shown(data=OBJECT, metadata=OBJECT),
    "WrittenWorkspace": {
        **_sent(data=OBJECT, metadata={**_sent(id=TEXT), "required": ["id"]}),
        "required": ["data", "metadata"],
    },
    "NotebookModel": {**_sent(content=OBJECT, name=TEXT), "required": ["content"]},
    "ExtensionCommand": {
        **_sent(cmd=TEXT, extension_name=TEXT),
        "required": ["cmd", "extension_name"],
    },
    "PluginCommand": {**_sent(cmd=TEXT, plugin_name=TEXT), "required": ["cmd", "plugin_name"]},
    "Login": _sent(password=TEXT, new_password=TEXT, _xsrf=TEXT, next=TEXT),
}

QUERY: dict[str, tuple[str, Schema]] = {
    "type": ("What the entry is to be read as.", TEXT),
    "format": ("`text` or `base64`, of files.", TEXT),
    "content": ("`0` to leave the content out.", {"type": "string", "enum": ["0", "1"]}),
    "hash": ("`1` for a digest of the content.", {"type": "string", "enum": ["0", "1"]}),
    "permissions": ("JSON object of lists of actions, by resource.", TEXT),
    "path": ("Which path.", TEXT),
    "kernel": ("Id of a kernel.", TEXT),
    "download": ("Whether the browser is to keep it as a file.", TEXT),
    "sanitize_html": ("`true` to leave scripts out.", TEXT),
    "code": ("What the other site gives for a login.", TEXT),
    "state": ("What the browser was sent away with.", TEXT),
    "error": ("Why the other site has refused it.", TEXT),
    "iss": ("Who the other site is.", TEXT),
    "next": ("Where to go afterwards, below the base URL.", TEXT),
    "session_id": ("Who comes back is the same client by it.", TEXT),
    "ids_only": ("`true` for the ids alone.", TEXT),
    "page": ("Which page of the list.", NUMBER),
    "per_page": ("How many a page has.", NUMBER),
    "query": ("What to look for.", TEXT),
    "bundles": ("Regular expression of names of bundles.", TEXT),
    "full_text": ("`false` to leave the texts out.", TEXT),
}
