"""Configuration, settings and workspaces of front ends, asked wrongly."""

from __future__ import annotations

from tests.conformance.row import Row

THEMES = "lab/api/settings/@jupyterlab/apputils-extension:themes"
SPACE = "lab/api/workspaces/w"

WRONG_LAB = (
    Row("config-shape", "GET", "api/config/a.b", 404, "html"),
    Row("config-outside", "GET", "api/config/..%2fx", 404, "html"),
    Row("config-below", "GET", "api/config/a/b", 404, "html"),
    Row("config-empty", "GET", "api/config/", 302, kind=None),
    Row("config-null", "PUT", "api/config/section", 400),
    Row("config-patch-nothing", "PATCH", "api/config/section", 400),
    Row("config-post", "POST", "api/config/section", 405, json={}),
    Row("config-delete", "DELETE", "api/config/section", 405),
    # Settings.
    Row("settings-no-plugin", "GET", "lab/api/settings/nope", 404),
    Row("settings-unknown", "GET", "lab/api/settings/@a/b:c", 404),
    Row("settings-outside", "GET", "lab/api/settings/@a/..%2f..%2fb:c", 404),
    Row("settings-put-unknown", "PUT", "lab/api/settings/@a/b:c", 404, json={"raw": "{}"}),
    Row("settings-not-json5", "PUT", THEMES, 400, json={"raw": "{bad"}),
    Row("settings-not-allowed", "PUT", THEMES, 400, json={"raw": '{"theme": 5}'}),
    Row("settings-list", "PUT", THEMES, 400, json={"raw": "[]"}),
    Row("settings-no-raw", "PUT", THEMES, 400, json={"x": 1}),
    Row("settings-raw-number", "PUT", THEMES, 400, json={"raw": 5}),
    Row("settings-empty", "PUT", THEMES, 400),
    Row("settings-patch", "PATCH", THEMES, 405, json={"raw": "{}"}),
    Row("settings-delete", "DELETE", THEMES, 405),
    Row("settings-post", "POST", THEMES, 405, json={"raw": "{}"}),
    # Workspaces.
    Row("workspace-other", "PUT", SPACE, 400, json={"data": {}, "metadata": {"id": "v"}}),
    Row("workspace-no-id", "PUT", SPACE, 400, json={"data": {}, "metadata": {}}),
    Row("workspace-no-metadata", "PUT", SPACE, 400, json={"data": {}}),
    Row("workspace-no-data", "PUT", SPACE, 400, json={"metadata": {"id": "w"}}),
    Row("workspace-list", "PUT", SPACE, 400, json=[1]),
    Row("workspace-empty", "PUT", SPACE, 400),
    Row("workspace-no-name", "PUT", "lab/api/workspaces", 400, json={}),
    Row("workspace-no-name-slash", "PUT", "lab/api/workspaces/", 400, json={}),
    Row("workspace-delete-missing", "DELETE", "lab/api/workspaces/never-there", 404),
    Row("workspace-delete-no-name", "DELETE", "lab/api/workspaces", 400),
    Row("workspace-patch", "PATCH", SPACE, 405, json={}),
    Row("workspace-post", "POST", SPACE, 405, json={}),
)
