"""What becomes of each trait of jupyter_server: the table that docs/configuration.md has, too."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Change = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Successor:
    """What says in Perijove what a trait says there."""

    table: str = ""
    """Empty if nothing does."""
    name: str = ""
    why: str = ""
    """Why nothing does, or what is to be known besides."""
    change: Change | None = None
    """Makes the value; the same one if None. None as a value is left out."""


def _to(place: str, why: str = "", change: Change | None = None) -> Successor:
    table, _, name = place.partition(".")
    return Successor(table, name, why, change)


def _none(why: str) -> Successor:
    return Successor(why=why)


def _megabytes(value: float) -> int:
    return int(value * 1024 * 1024)


def _yes_or_no(value: Any) -> str:  # noqa: ANN401 - whatever was configured
    return "yes" if value else "no"


def _shell(value: Mapping[str, Any]) -> str | None:
    command = value.get("shell_command")
    return shlex.join(command) if command else None


def _headers(value: Mapping[str, Any]) -> dict[str, str] | None:
    return value.get("headers") or None


def _log_level(value: str | int) -> str:
    names = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "error"}
    if isinstance(value, int):
        return names.get(value, "info")
    return {"WARN": "warning", "CRITICAL": "error"}.get(value.upper(), value.lower())


def _mode(value: str | int) -> str:
    return f"{value:04o}" if isinstance(value, int) else str(value)


_CLASS = "parts are replaced by gRPC services, not by classes"
_LOGS = "logs are JSON, one line an event; see LOG_LEVEL and LOG_FORMAT of each process"
_INSIDE = "an implementation detail"
_RATE = "nothing is limited by rate: output waits on disk, bounded, and whoever prints is slowed"
_THERE = "as there: Perijove reads this file's own place"
_EXTENSION = "extensions in Python run in their server; Perijove has its own entry points"
_TEMPLATES = "pages are Perijove's; `custom.css` is served"
_COOKIE = "cookies are signed with a key of all gateways, and have the safest attributes"
_COMMAND = "of the command, not of the server"
_PORTS = "sockets of kernels are files that nobody else can open"
_ONE_WAY = "there is one way"

_SERVER: Final = {
    "ip": _to("up.ip", change=lambda value: value or "*"),
    "port": _to("up.port"),
    "port_retries": _to("up.port-retries"),
    "sock": _to("up.sock", change=lambda value: value or None),
    "sock_mode": _to("up.sock-mode", change=_mode),
    "certfile": _to("up.certfile", change=lambda value: value or None),
    "keyfile": _to("up.keyfile", change=lambda value: value or None),
    "client_ca": _to("up.client-ca", change=lambda value: value or None),
    "base_url": _to("up.base-url"),
    "default_url": _to("up.default-url"),
    "root_dir": _to("up.root-dir", change=lambda value: value or None),
    "notebook_dir": _to("up.root-dir", change=lambda value: value or None),
    "open_browser": _to("up.browser"),
    "token": _to("up.token"),
    "password": _to("up.password-file"),
    "log_level": _to("up.log-level", change=_log_level),
    "allow_origin": _to("gateway_http.allow_origin"),
    "allow_origin_pat": _to("gateway_http.allow_origin_pat"),
    "allow_credentials": _to("gateway_http.allow_credentials"),
    "allow_remote_access": _to("gateway_http.allow_remote_access", change=_yes_or_no),
    "local_hostnames": _to("gateway_http.local_hostnames"),
    "disable_check_xsrf": _to("gateway_http.disable_check_xsrf"),
    "trust_xheaders": _to("gateway_http.trust_xheaders"),
    "allow_password_change": _to("gateway_http.allow_password_change"),
    "authenticate_prometheus": _to("gateway_http.authenticate_metrics"),
    "max_body_size": _to("gateway_http.max_body_bytes"),
    "terminals_enabled": _to("gateway_http.terminals"),
    "kernel_ws_protocol": _to("gateway_http.kernel_ws_protocol", change=lambda value: value or ""),
    "shutdown_no_activity_timeout": _to("gateway_http.shutdown_no_activity_timeout"),
    "tornado_settings": _to("gateway_http.headers", "of it, `headers`", _headers),
    "terminado_settings": _to("runner.terminal_shell", "of it, `shell_command`", _shell),
    "external_connection_dir": _to("up.external-kernels", change=lambda value: value or None),
    "allow_external_kernels": _none("they are allowed if `external-kernels` names a directory"),
    "allow_root": _none("root is not refused, nor is anybody else"),
    "allow_unauthenticated_access": _none("never: what is public is listed in one table"),
    "preferred_dir": _none("front ends open where they were left"),
    "file_to_run": _none("open `lab/tree/FILE`"),
    "browser": _none("the desktop's is opened"),
    "webbrowser_open_new": _none("the desktop decides"),
    "use_redirect_file": _none("always: no token is among the arguments of a process"),
    "cookie_secret": _none(_COOKIE),
    "cookie_secret_file": _none(_COOKIE),
    "cookie_options": _to("gateway_http.cookie_options", change=dict),
    "get_secure_cookie_kwargs": _none(_COOKIE),
    "password_required": _none("a server without token and password serves this machine only"),
    "ssl_options": _none("`certfile`, `keyfile` and `client-ca` say what is needed"),
    "websocket_url": _none("WebSockets are where the pages are"),
    "websocket_compression_options": _none("nothing is compressed, as there if nothing is said"),
    "websocket_ping_interval": _none(_ONE_WAY),
    "websocket_ping_timeout": _none(_ONE_WAY),
    "max_buffer_size": _none("no body is held in memory"),
    "min_open_files_limit": _none("the system's limit counts: `ulimit -n`"),
    "nbconvert_csp_sandbox": _none("what users store is always served in a sandbox"),
    "extra_log_scrub_param_keys": _none("no query is logged"),
    "file_url_prefix": _none(_INSIDE),
    "custom_display_url": _none(_COMMAND),
    "extra_services": _none(_EXTENSION),
    "jpserver_extensions": _none(_EXTENSION),
    "reraise_server_extension_failures": _none(_EXTENSION),
    "extra_static_paths": _none(_EXTENSION),
    "extra_template_paths": _none(_TEMPLATES),
    "jinja_environment_options": _none(_TEMPLATES),
    "jinja_template_vars": _none(_TEMPLATES),
    "quit_button": _none("the menu is the front end's"),
    "static_immutable_cache": _none("what has a hash in its name is cached, and nothing else"),
    "pylab": _none("it has no effect there either"),
    "limit_rate": _none(_RATE),
    "iopub_data_rate_limit": _none(_RATE),
    "iopub_msg_rate_limit": _none(_RATE),
    "rate_limit_window": _none(_RATE),
    **dict.fromkeys(("log_datefmt", "log_format", "logging_config"), _none(_LOGS)),
    **dict.fromkeys(
        (
            *("answer_yes", "autoreload", "config_file", "config_file_name", "generate_config"),
            *("show_config", "show_config_json"),
        ),
        _none(_COMMAND),
    ),
    **dict.fromkeys(
        (
            *("authorizer_class", "config_manager_class", "contents_manager_class"),
            *("identity_provider_class", "kernel_manager_class", "kernel_spec_manager_class"),
            *("kernel_websocket_connection_class", "login_handler_class", "logout_handler_class"),
            "session_manager_class",
        ),
        _none(_CLASS),
    ),
}

_IDENTITY: Final = {
    "token": _to("up.token"),
    "hashed_password": _to("up.password-file"),
    "allow_password_change": _to("gateway_http.allow_password_change"),
    "secure_cookie": _to("gateway_http.secure_cookie", change=bool),
    "password_required": _SERVER["password_required"],
    "updatable_fields": _none("all are, where a person may change any"),
    "cookie_name": _to("gateway_http.cookie_name"),
    "cookie_options": _to("gateway_http.cookie_options", change=dict),
    "get_secure_cookie_kwargs": _none(_COOKIE),
    **dict.fromkeys(("login_handler_class", "logout_handler_class"), _none(_CLASS)),
}

_CONTENTS: Final = {
    "root_dir": _to("up.root-dir", change=lambda value: value or None),
    "allow_hidden": _to("contents.allow_hidden"),
    "hide_globs": _to("contents.hide_globs"),
    "untitled_notebook": _to("contents.untitled_notebook"),
    "untitled_file": _to("contents.untitled_file"),
    "untitled_directory": _to("contents.untitled_directory"),
    "delete_to_trash": _to("contents.delete_to_trash"),
    "always_delete_dir": _to("contents.always_delete_directories"),
    "max_copy_folder_size_mb": _to("contents.max_copy_bytes", change=_megabytes),
    "pre_save_hook": _none("an entry point of the group `perijove.contents.save_hooks`"),
    "post_save_hook": _none("an entry point of the group `perijove.contents.save_hooks`"),
    "preferred_dir": _SERVER["preferred_dir"],
    "hash_algorithm": _none("always sha256, which `If-Match` compares"),
    "use_atomic_writing": _none("always: a save is whole or absent"),
    "event_logger": _none(_INSIDE),
    "files_handler_params": _none(_INSIDE),
    **dict.fromkeys(
        ("checkpoints", "checkpoints_class", "checkpoints_kwargs", "files_handler_class"),
        _none(_CLASS),
    ),
}

_CHECKPOINTS: Final = {
    "checkpoint_dir": _to("contents.checkpoint_dir", "one name"),
    "root_dir": _none("checkpoints are beside the files"),
    "hash_algorithm": _CONTENTS["hash_algorithm"],
    "use_atomic_writing": _CONTENTS["use_atomic_writing"],
}

_KERNELS: Final = {
    "cull_idle_timeout": _to("runner.cull_idle_timeout_s"),
    "cull_interval": _to("runner.cull_interval_s"),
    "cull_connected": _to("runner.cull_connected"),
    "cull_busy": _to("runner.cull_busy"),
    "kernel_info_timeout": _to("runner.kernel_info_timeout_s"),
    "allowed_message_types": _to("runner.allowed_message_types"),
    "untracked_message_types": _to("runner.untracked_message_types"),
    "allow_tracebacks": _to("runner.allow_tracebacks"),
    "traceback_replacement_message": _to("runner.traceback_replacement"),
    "default_kernel_name": _to("kernels.default_kernelspec"),
    "buffer_offline_messages": _none("always, up to JOURNAL_BYTES of a runner"),
    "use_pending_kernels": _none("a start is answered once there is a process"),
    "transport_encryption": _none(_PORTS),
    "kernel_manager_class": _none(_CLASS),
    "shared_context": _none(_INSIDE),
    "root_dir": _none("`root-dir` says it"),
}

_KERNEL: Final = {
    "autorestart": _to("runner.autorestart"),
    "shutdown_wait_time": _to("runner.shutdown_wait_s"),
    **dict.fromkeys(
        (
            *("cache_ports", "connection_file", "control_port", "hb_port", "iopub_port", "ip"),
            *("shell_port", "stdin_port", "transport", "transport_encryption"),
        ),
        _none(_PORTS),
    ),
    **dict.fromkeys(("client_class", "client_factory"), _none(_CLASS)),
}

_CHANNELS: Final = {
    "kernel_ws_protocol": _SERVER["kernel_ws_protocol"],
    "session": _none(_INSIDE),
    **dict.fromkeys(
        ("limit_rate", "iopub_data_rate_limit", "iopub_msg_rate_limit", "rate_limit_window"),
        _none(_RATE),
    ),
}

TRAITS: Final[Mapping[str, Mapping[str, Successor]]] = {
    "ServerApp": _SERVER,
    "PasswordIdentityProvider": _IDENTITY,
    "FileContentsManager": _CONTENTS,
    "FileCheckpoints": _CHECKPOINTS,
    "MappingKernelManager": _KERNELS,
    "KernelManager": _KERNEL,
    "KernelRestarter": {
        "restart_limit": _to("runner.restart_limit"),
        "stable_start_time": _to("runner.stable_start_s"),
        "time_to_dead": _none("deaths are noticed at once"),
        "random_ports_until_alive": _none(_PORTS),
        "debug": _none(_INSIDE),
    },
    "KernelSpecManager": {
        "allowed_kernelspecs": _to("runner.allowed_kernelspecs"),
        "whitelist": _to("runner.allowed_kernelspecs"),
        "ensure_native_kernel": _to("runner.ensure_native_kernel"),
        "kernel_spec_class": _none(_CLASS),
    },
    "ZMQChannelsWebsocketConnection": _CHANNELS,
    "SessionManager": {"database_filepath": _none("sessions are in Redis: `redis-url`")},
    "TerminalManager": {
        "cull_inactive_timeout": _to("runner.terminal_cull_inactive_timeout_s"),
        "cull_interval": _to("runner.terminal_cull_interval_s"),
    },
    "NotebookNotary": {
        "data_dir": _to("contents.data_dir"),
        **dict.fromkeys(("db_file", "secret_file"), _none("they are in `contents.data_dir`")),
        **dict.fromkeys(("algorithm", "secret", "store_factory"), _none(_THERE)),
    },
    "GatewayClient": dict.fromkeys(
        (
            *("accept_cookies", "allowed_envs", "auth_header_key", "auth_scheme", "auth_token"),
            *("ca_certs", "client_cert", "client_key", "connect_timeout", "env_whitelist"),
            *("event_logger", "gateway_retry_interval", "gateway_retry_interval_max"),
            *("gateway_retry_max", "gateway_token_renewer_class", "headers", "http_pwd"),
            *("http_user", "kernels_endpoint", "kernelspecs_endpoint"),
            *("kernelspecs_resource_endpoint", "launch_timeout_pad", "request_timeout", "url"),
            *("validate_cert", "ws_url"),
        ),
        _none(
            "other machines join with `perijove runner`; `JUPYTER_GATEWAY_*` is for stock servers"
        ),
    ),
    "LabApp": {
        "default_url": _to("up.default-url"),
        "custom_css": _to("up.custom-css"),
        "expose_app_in_browser": _to("gateway_http.expose_app_in_browser"),
        "open_browser": _to("up.browser"),
        "workspaces_dir": _to("contents.workspaces_dir"),
        "user_settings_dir": _to("contents.settings_dir"),
    },
}
"""By class and trait."""
