"""Operations about what runs."""

from __future__ import annotations

from perijove_gateway_http.spec.operation import Operation, Rows

_KERNEL = r"api/kernels/{kernel_id:\w+-\w+-\w+-\w+-\w+}"
_SESSION = r"api/sessions/{session_id:\w+-\w+-\w+-\w+-\w+}"
_TERMINAL = r"api/terminals/{name:\w+}"
_KERNELSPEC = r"{name:[\w\.\-%]+}"

KERNELS: Rows = {
    ("GET", "api/kernels"): Operation("The kernels that run", {200: "[Kernel]"}),
    ("POST", "api/kernels"): Operation("Start a kernel", {201: "Kernel"}, (500,), body="NewKernel"),
    ("GET", _KERNEL): Operation("A kernel", {200: "Kernel"}),
    ("DELETE", _KERNEL): Operation("Shut a kernel down", {204: ""}),
    ("POST", _KERNEL + "/interrupt"): Operation("Interrupt a kernel", {204: ""}),
    ("POST", _KERNEL + "/restart"): Operation("Restart a kernel", {200: "Kernel"}, (500,)),
    ("GET", _KERNEL + "/channels"): Operation(
        "WebSocket to a kernel", {101: ""}, query=("session_id",)
    ),
    ("GET", "api/kernelspecs"): Operation("The kernelspecs", {200: "Kernelspecs"}),
    ("GET", f"api/kernelspecs/{_KERNELSPEC}"): Operation("A kernelspec", {200: "Kernelspec"}),
    **{
        (method, f"kernelspecs/{_KERNELSPEC}/{{resource}}"): Operation(
            "A file of a kernelspec", {200: "*/*"}
        )
        for method in ("GET", "HEAD")
    },
    ("GET", "api/sessions"): Operation("The sessions whose kernels run", {200: "[Session]"}),
    ("POST", "api/sessions"): Operation(
        "A session of a document, with a kernel", {201: "Session"}, (501,), body="NewSession"
    ),
    ("GET", _SESSION): Operation("A session", {200: "Session"}, (410,)),
    ("PATCH", _SESSION): Operation(
        "Change a session", {200: "Session"}, (410, 501), body="SessionChange"
    ),
    ("DELETE", _SESSION): Operation("End a session, and its kernel", {204: ""}, (410,)),
    ("GET", "api/terminals"): Operation("The terminals whose shells run", {200: "[Terminal]"}),
    ("POST", "api/terminals"): Operation("Start a shell", {200: "Terminal"}, body="NewTerminal"),
    ("GET", _TERMINAL): Operation("A terminal", {200: "Terminal"}),
    ("DELETE", _TERMINAL): Operation("End a shell", {204: ""}),
    ("GET", r"terminals/websocket/{name:\w+}"): Operation("WebSocket to a shell", {101: ""}),
}
