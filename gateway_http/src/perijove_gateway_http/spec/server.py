"""Operations about the server and whoever asks."""

from __future__ import annotations

from perijove_gateway_http.spec.operation import Operation, Rows

SERVER: Rows = {
    ("GET", ""): Operation("Go to the front end", {302: ""}),
    ("POST", ""): Operation("Go to the front end", {302: ""}),
    ("GET", "api"): Operation("The version of the API", {200: "Version"}),
    ("GET", "api/spec.yaml"): Operation("This document", {200: "text/x-yaml"}),
    ("GET", "api/swagger.yaml"): Operation("This document", {200: "text/x-yaml"}),
    ("GET", "api/swagger.json"): Operation("This document as JSON", {200: "Object"}),
    ("GET", "api/status"): Operation("Whether the server is in use", {200: "Status"}),
    ("POST", "api/shutdown"): Operation("End the server with all that runs", {200: ""}),
    ("POST", "api/security/csp-report"): Operation(
        "Tell what a browser kept a page from doing", {200: ""}, body="Anything"
    ),
    ("GET", "metrics"): Operation("Counts and times, for Prometheus", {200: "text/plain"}),
    ("GET", "api/me"): Operation(
        "Who asks, and what they may do", {200: "Me"}, query=("permissions",)
    ),
    ("PATCH", "api/me"): Operation(
        "Be called something else", {200: "ChangedMe"}, (501,), body="UserChange"
    ),
    ("GET", "login"): Operation(
        "The form to log in with", {200: "text/html", 302: ""}, query=("next",)
    ),
    ("POST", "login"): Operation(
        "Log in",
        {302: "", 400: "text/html", 401: "text/html", 403: "text/html"},
        (413, 429),
        query=("next",),
        body="Login",
    ),
    ("GET", "logout"): Operation("Log out", {200: "text/html", 302: ""}),
    ("GET", "oauth_login"): Operation(
        "Go and log in at another site", {302: ""}, (404, 503), query=("next",)
    ),
    ("GET", "oauth_callback"): Operation(
        "Come back from there", {302: ""}, (404, 503), query=("code", "state", "error", "iss")
    ),
    ("POST", "api/events"): Operation("Publish an event", {204: ""}, body="Event"),
    ("GET", "api/events/subscribe"): Operation("WebSocket of all events", {101: ""}),
    ("GET", "api/config/{section:\\w+}"): Operation("A section", {200: "Object"}),
    ("PUT", "api/config/{section:\\w+}"): Operation("Replace a section", {204: ""}, body="Object"),
    ("PATCH", "api/config/{section:\\w+}"): Operation(
        "Merge into a section; `null` deletes", {200: "Object"}, body="Object"
    ),
}
