"""What becomes of each trait of jupyter-kernel-gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perijove_config.successors import none, to
from perijove_config.traits import OF_SERVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perijove_config.successors import Successor

_SERVER: Final = OF_SERVER["ServerApp"]
_NOTEBOOK = "a notebook is no program that serves: programs ask the services by gRPC"


def _header(name: str) -> Successor:
    change: Callable[[Any], Any] = lambda value: {name: value} if value else None  # noqa: E731
    return to("gateway_http.headers", "one of several", change)


def _count(value: int | None) -> int | None:
    return value or None


_APP: Final = {
    **{
        name: _SERVER[name]
        for name in (
            *("ip", "port", "port_retries", "base_url", "certfile", "keyfile", "client_ca"),
            *("trust_xheaders", "allow_origin", "log_level", "log_format", "log_datefmt"),
            *("logging_config", "cookie_secret", "cookie_secret_file", "answer_yes"),
            *("config_file", "config_file_name", "generate_config", "show_config"),
            *("show_config_json", "authorizer_class", "identity_provider_class"),
            *("kernel_manager_class", "kernel_spec_manager_class"),
            "kernel_websocket_connection_class",
        )
    },
    "auth_token": to("up.token"),
    "allow_credentials": to(
        "gateway_http.allow_credentials", change=lambda value: str(value).lower() == "true"
    ),
    "allow_headers": _header("Access-Control-Allow-Headers"),
    "allow_methods": _header("Access-Control-Allow-Methods"),
    "expose_headers": _header("Access-Control-Expose-Headers"),
    "max_age": _header("Access-Control-Max-Age"),
    "max_kernels": to("up.max-kernels", "past it there is a 429", _count),
    "default_kernel_name": to("kernels.default_kernelspec", change=lambda value: value or None),
    "force_kernel_name": to("kernels.forced_kernelspec"),
    "env_process_whitelist": to("runner.inherited_envs", "`PATH` always is, as there"),
    "prespawn_count": to(
        "up.warm",
        "of `python3`, if no other is said; nobody sees them until they are given out",
        lambda value: f"python3:{value}" if value else None,
    ),
    "seed_uri": none(
        'a kernelspec can have a notebook run first: `--IPKernelApp.exec_files=["seed.ipynb"]`'
    ),
    "api": none("always that of a server; " + _NOTEBOOK),
    "ssl_version": none("TLS 1.2 or newer"),
    "ws_ping_interval": _SERVER["websocket_ping_interval"],
}

OF_KERNEL_GATEWAY: Final[Mapping[str, Mapping[str, Successor]]] = {
    "KernelGatewayApp": _APP,
    "JupyterWebsocketPersonality": {
        "env_whitelist": to("gateway_http.allowed_envs", "beside `KERNEL_`, as there"),
        "list_kernels": to("gateway_http.list_kernels", "here it is true if nothing is said"),
    },
    "NotebookHTTPPersonality": dict.fromkeys(
        ("allow_notebook_download", "cell_parser", "comment_prefix", "static_path"),
        none(_NOTEBOOK),
    ),
}
"""By class and trait."""
