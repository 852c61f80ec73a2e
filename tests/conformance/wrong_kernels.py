"""Kernels, kernelspecs, sessions and terminals, asked wrongly."""

from __future__ import annotations

from tests.conformance.routes import KERNEL, SESSION
from tests.conformance.row import Row

SESSION_BODY = {"path": "n.ipynb", "type": "notebook"}

WRONG_KERNELS = (
    # Kernels.
    Row("kernel", "GET", KERNEL, 404),
    Row("kernel-delete", "DELETE", KERNEL, 404),
    Row("kernel-interrupt", "POST", f"{KERNEL}/interrupt", 404),
    Row("kernel-restart", "POST", f"{KERNEL}/restart", 404),
    Row("kernel-shape", "GET", "api/kernels/bogus", 404, "html"),
    Row("kernel-name", "POST", "api/kernels", 400, json={"name": "no-such-kernel"}),
    Row("kernel-name-number", "POST", "api/kernels", 400, json={"name": 5}),
    Row("kernel-path-number", "POST", "api/kernels", 400, json={"path": 5}),
    Row("kernel-env-list", "POST", "api/kernels", 400, json={"env": []}),
    Row("kernel-env-number", "POST", "api/kernels", 400, json={"env": {"KERNEL_X": 5}}),
    # Kernelspecs.
    Row("kernelspec", "GET", "api/kernelspecs/nope", 404),
    Row("kernelspec-shape", "GET", "api/kernelspecs/a%2fb", 404),
    Row("resource", "GET", "kernelspecs/python3/nope.png", 404, "html"),
    Row("resource-of-nothing", "GET", "kernelspecs/nope/logo-64x64.png", 404, "html"),
    Row("resource-outside", "GET", "kernelspecs/python3/..%2f..%2fsecret.txt", 400, "html"),
    Row("resource-up", "GET", "kernelspecs/python3/%2e%2e", 400, "html"),
    # Sessions.
    Row("session", "GET", SESSION, 404),
    Row("session-delete", "DELETE", SESSION, 404),
    Row("session-patch", "PATCH", SESSION, 404, json={"name": "x"}),
    Row("session-shape", "GET", "api/sessions/bogus", 404, "html"),
    Row("session-empty", "POST", "api/sessions", 400),
    Row("session-no-path", "POST", "api/sessions", 400, json={"type": "notebook"}),
    Row("session-no-type", "POST", "api/sessions", 400, json={"path": "n.ipynb"}),
    Row("session-path-number", "POST", "api/sessions", 400, json={"path": 5, "type": "notebook"}),
    Row("session-name-number", "POST", "api/sessions", 400, json={**SESSION_BODY, "name": 5}),
    Row("session-kernel-text", "POST", "api/sessions", 400, json={**SESSION_BODY, "kernel": "x"}),
    Row(
        "session-kernel-name",
        "POST",
        "api/sessions",
        501,
        json={**SESSION_BODY, "kernel": {"name": "no-such-kernel"}},
    ),
    # Terminals.
    Row("terminal", "GET", "api/terminals/nope", 404),
    Row("terminal-delete", "DELETE", "api/terminals/nope", 404),
    Row("terminal-shape", "GET", "api/terminals/a-b", 404, "html"),
    Row("terminal-cwd-number", "POST", "api/terminals", 400, json={"cwd": 5}),
    Row("terminal-cwd-nul", "POST", "api/terminals", 400, json={"cwd": "a\0b"}),
    Row("terminal-command-text", "POST", "api/terminals", 400, json={"shell_command": "sh"}),
    Row("terminal-command", "POST", "api/terminals", 400, json={"shell_command": ["/no/such"]}),
    Row("terminal-name", "POST", "api/terminals", 400, json={"name": "a b"}),
    Row("terminal-name-number", "POST", "api/terminals", 400, json={"name": 5}),
)
