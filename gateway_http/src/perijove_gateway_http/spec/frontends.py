"""Operations of front ends: their pages, files and settings."""

from __future__ import annotations

from perijove_gateway_http.spec.operation import Operation, Rows

_WORKSPACE = r"workspaces/{workspace:[a-zA-Z0-9\-_]+}"
_NAMED = "lab/api/workspaces/{name...}"

_PAGES: Rows = {
    ("GET", pattern): Operation("A page", {200: "text/html", 301: "", 302: ""})
    for pattern in (
        *(
            app + below
            for app in ("lab", "doc")
            for below in ("", "/tree/{path*}", f"/{_WORKSPACE}", f"/{_WORKSPACE}/tree/{{path*}}")
        ),
        "lab/{rest*}",
        *("tree", "tree/{path*}", "notebooks", "notebooks/{path*}", "edit", "edit/{path*}"),
        *("consoles/{path*}", "terminals/{name*}"),
    )
}
_FILES: Rows = {
    (method, pattern): Operation("A file of a page", {200: "*/*"})
    for pattern in (
        *("static/lab/{path*}", "static/favicons/{name}", "favicon.ico"),
        *("lab/extensions/{path*}", "custom/custom.css", "custom/{path*}"),
        "lab/api/themes/{path...}",
    )
    for method in ("GET", "HEAD")
}
_REFUSED = (422, 501)

FRONTENDS: Rows = {
    **_PAGES,
    **_FILES,
    **{
        ("GET", pattern): Operation("Settings of front ends", {200: "Object"}, query=("ids_only",))
        for pattern in ("lab/api/settings", "lab/api/settings/{plugin_id...}")
    },
    **{
        ("PUT", pattern): Operation("Keep a plug-in's settings", {204: ""}, (507,), body="Setting")
        for pattern in ("lab/api/settings", "lab/api/settings/{plugin_id...}")
    },
    ("GET", "lab/api/workspaces"): Operation("The workspaces", {200: "Object"}),
    ("GET", _NAMED): Operation("A workspace", {200: "Object"}),
    **{
        ("PUT", pattern): Operation("Keep a workspace", {204: ""}, (507,), body="WrittenWorkspace")
        for pattern in ("lab/api/workspaces", _NAMED)
    },
    **{
        ("DELETE", pattern): Operation("Forget a workspace", {204: ""})
        for pattern in ("lab/api/workspaces", _NAMED)
    },
    ("GET", "lab/api/translations"): Operation("The languages", {200: "Object"}),
    ("GET", "lab/api/translations/{locale...}"): Operation("A language", {200: "Object"}),
    ("GET", "lab/api/listings/{path...}"): Operation("Allowed extensions", {200: "Object"}),
    **{
        ("GET", pattern): Operation(
            "The licences of what pages are made of",
            {200: "*/*"},
            query=("bundles", "full_text", "download"),
        )
        for pattern in ("lab/api/licenses", "lab/api/licenses/{rest*}")
    },
    ("GET", "lab/api/extensions"): Operation(
        "The installed extensions", {200: "[Object]"}, query=("page", "per_page", "query")
    ),
    ("POST", "lab/api/extensions"): Operation(
        "Refused: nothing is installed from here", {}, _REFUSED, body="ExtensionCommand"
    ),
    ("GET", "lab/api/plugins"): Operation("Plug-ins that are locked", {200: "Object"}),
    ("POST", "lab/api/plugins"): Operation(
        "Refused: nothing is switched from here", {}, _REFUSED, body="PluginCommand"
    ),
    ("GET", "lab/api/build"): Operation("Whether the application is built", {200: "Object"}),
    **{
        (method, "lab/api/build"): Operation("Refused: nothing is built here", {}, _REFUSED)
        for method in ("POST", "DELETE")
    },
    ("GET", "lab/api/news"): Operation("News: none", {200: "Object"}),
    ("GET", "lab/api/update"): Operation("A newer version: none is looked for", {200: "Object"}),
    ("GET", "lsp/status"): Operation("Language servers: none", {200: "Object"}),
}
