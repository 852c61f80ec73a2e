"""What becomes of each trait of jupyter_server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perijove_config.successors import (
    headers,
    log_level,
    megabytes,
    mode,
    none,
    shell,
    to,
    yes_or_no,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_config.successors import Successor

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
    "ip": to("up.ip", change=lambda value: value or "*"),
    "port": to("up.port"),
    "port_retries": to("up.port-retries"),
    "sock": to("up.sock", change=lambda value: value or None),
    "sock_mode": to("up.sock-mode", change=mode),
    "certfile": to("up.certfile", change=lambda value: value or None),
    "keyfile": to("up.keyfile", change=lambda value: value or None),
    "client_ca": to("up.client-ca", change=lambda value: value or None),
    "base_url": to("up.base-url"),
    "default_url": to("up.default-url"),
    "root_dir": to("up.root-dir", change=lambda value: value or None),
    "notebook_dir": to("up.root-dir", change=lambda value: value or None),
    "open_browser": to("up.browser"),
    "token": to("up.token"),
    "password": to("up.password-file"),
    "log_level": to("up.log-level", change=log_level),
    "allow_origin": to("gateway_http.allow_origin"),
    "allow_origin_pat": to("gateway_http.allow_origin_pat"),
    "allow_credentials": to("gateway_http.allow_credentials"),
    "allow_remote_access": to("gateway_http.allow_remote_access", change=yes_or_no),
    "local_hostnames": to("gateway_http.local_hostnames"),
    "disable_check_xsrf": to("gateway_http.disable_check_xsrf"),
    "trust_xheaders": to("gateway_http.trust_xheaders"),
    "allow_password_change": to("gateway_http.allow_password_change"),
    "authenticate_prometheus": to("gateway_http.authenticate_metrics"),
    "max_body_size": to("gateway_http.max_body_bytes"),
    "terminals_enabled": to("gateway_http.terminals"),
    "kernel_ws_protocol": to("gateway_http.kernel_ws_protocol", change=lambda value: value or ""),
    "shutdown_no_activity_timeout": to("gateway_http.shutdown_no_activity_timeout"),
    "tornado_settings": to("gateway_http.headers", "of it, `headers`", headers),
    "terminado_settings": to("runner.terminal_shell", "of it, `shell_command`", shell),
    "external_connection_dir": to("up.external-kernels", change=lambda value: value or None),
    "allow_external_kernels": none("they are allowed if `external-kernels` names a directory"),
    "allow_root": none("root is not refused, nor is anybody else"),
    "allow_unauthenticated_access": none("never: what is public is listed in one table"),
    "preferred_dir": none("front ends open where they were left"),
    "file_to_run": none("open `lab/tree/FILE`"),
    "browser": none("the desktop's is opened"),
    "webbrowser_open_new": none("the desktop decides"),
    "use_redirect_file": none("always: no token is among the arguments of a process"),
    "cookie_secret": none(_COOKIE),
    "cookie_secret_file": none(_COOKIE),
    "cookie_options": to("gateway_http.cookie_options", change=dict),
    "get_secure_cookie_kwargs": none(_COOKIE),
    "password_required": none("a server without token and password serves this machine only"),
    "ssl_options": none("`certfile`, `keyfile` and `client-ca` say what is needed"),
    "websocket_url": none("WebSockets are where the pages are"),
    "websocket_compression_options": none("nothing is compressed, as there if nothing is said"),
    "websocket_ping_interval": none(_ONE_WAY),
    "websocket_ping_timeout": none(_ONE_WAY),
    "max_buffer_size": none("no body is held in memory"),
    "min_open_files_limit": none("the system's limit counts: `ulimit -n`"),
    "nbconvert_csp_sandbox": none("what users store is always served in a sandbox"),
    "extra_log_scrub_param_keys": none("no query is logged"),
    "file_url_prefix": none(_INSIDE),
    "custom_display_url": none(_COMMAND),
    "extra_services": none(_EXTENSION),
    "jpserver_extensions": none(_EXTENSION),
    "reraise_server_extension_failures": none(_EXTENSION),
    "extra_static_paths": none(_EXTENSION),
    "extra_template_paths": none(_TEMPLATES),
    "jinja_environment_options": none(_TEMPLATES),
    "jinja_template_vars": none(_TEMPLATES),
    "quit_button": none("the menu is the front end's"),
    "static_immutable_cache": none("what has a hash in its name is cached, and nothing else"),
    "pylab": none("it has no effect there either"),
    "limit_rate": none(_RATE),
    "iopub_data_rate_limit": none(_RATE),
    "iopub_msg_rate_limit": none(_RATE),
    "rate_limit_window": none(_RATE),
    **dict.fromkeys(("log_datefmt", "log_format", "logging_config"), none(_LOGS)),
    **dict.fromkeys(
        (
            *("answer_yes", "autoreload", "config_file", "config_file_name", "generate_config"),
            *("show_config", "show_config_json"),
        ),
        none(_COMMAND),
    ),
    **dict.fromkeys(
        (
            *("authorizer_class", "config_manager_class", "contents_manager_class"),
            *("identity_provider_class", "kernel_manager_class", "kernel_spec_manager_class"),
            *("kernel_websocket_connection_class", "login_handler_class", "logout_handler_class"),
            "session_manager_class",
        ),
        none(_CLASS),
    ),
}

_IDENTITY: Final = {
    "token": to("up.token"),
    "hashed_password": to("up.password-file"),
    "allow_password_change": to("gateway_http.allow_password_change"),
    "secure_cookie": to("gateway_http.secure_cookie", change=bool),
    "password_required": _SERVER["password_required"],
    "updatable_fields": none("all are, where a person may change any"),
    "cookie_name": to("gateway_http.cookie_name"),
    "cookie_options": to("gateway_http.cookie_options", change=dict),
    "get_secure_cookie_kwargs": none(_COOKIE),
    **dict.fromkeys(("login_handler_class", "logout_handler_class"), none(_CLASS)),
}

_CONTENTS: Final = {
    "root_dir": to("up.root-dir", change=lambda value: value or None),
    "allow_hidden": to("contents.allow_hidden"),
    "hide_globs": to("contents.hide_globs"),
    "untitled_notebook": to("contents.untitled_notebook"),
    "untitled_file": to("contents.untitled_file"),
    "untitled_directory": to("contents.untitled_directory"),
    "delete_to_trash": to("contents.delete_to_trash"),
    "always_delete_dir": to("contents.always_delete_directories"),
    "max_copy_folder_size_mb": to("contents.max_copy_bytes", change=megabytes),
    "pre_save_hook": none("an entry point of the group `perijove.contents.save_hooks`"),
    "post_save_hook": none("an entry point of the group `perijove.contents.save_hooks`"),
    "preferred_dir": _SERVER["preferred_dir"],
    "hash_algorithm": none("always sha256, which `If-Match` compares"),
    "use_atomic_writing": none("always: a save is whole or absent"),
    "event_logger": none(_INSIDE),
    "files_handler_params": none(_INSIDE),
    **dict.fromkeys(
        ("checkpoints", "checkpoints_class", "checkpoints_kwargs", "files_handler_class"),
        none(_CLASS),
    ),
}

_CHECKPOINTS: Final = {
    "checkpoint_dir": to("contents.checkpoint_dir", "one name"),
    "root_dir": none("checkpoints are beside the files"),
    "hash_algorithm": _CONTENTS["hash_algorithm"],
    "use_atomic_writing": _CONTENTS["use_atomic_writing"],
}

_KERNELS: Final = {
    "cull_idle_timeout": to("runner.cull_idle_timeout_s"),
    "cull_interval": to("runner.cull_interval_s"),
    "cull_connected": to("runner.cull_connected"),
    "cull_busy": to("runner.cull_busy"),
    "kernel_info_timeout": to("runner.kernel_info_timeout_s"),
    "allowed_message_types": to("runner.allowed_message_types"),
    "untracked_message_types": to("runner.untracked_message_types"),
    "allow_tracebacks": to("runner.allow_tracebacks"),
    "traceback_replacement_message": to("runner.traceback_replacement"),
    "default_kernel_name": to("kernels.default_kernelspec"),
    "buffer_offline_messages": none("always, up to JOURNAL_BYTES of a runner"),
    "use_pending_kernels": none("a start is answered once there is a process"),
    "transport_encryption": none(_PORTS),
    "kernel_manager_class": none(_CLASS),
    "shared_context": none(_INSIDE),
    "root_dir": none("`root-dir` says it"),
}

_KERNEL: Final = {
    "autorestart": to("runner.autorestart"),
    "shutdown_wait_time": to("runner.shutdown_wait_s"),
    **dict.fromkeys(
        (
            *("cache_ports", "connection_file", "control_port", "hb_port", "iopub_port", "ip"),
            *("shell_port", "stdin_port", "transport", "transport_encryption"),
        ),
        none(_PORTS),
    ),
    **dict.fromkeys(("client_class", "client_factory"), none(_CLASS)),
}

_CHANNELS: Final = {
    "kernel_ws_protocol": _SERVER["kernel_ws_protocol"],
    "session": none(_INSIDE),
    **dict.fromkeys(
        ("limit_rate", "iopub_data_rate_limit", "iopub_msg_rate_limit", "rate_limit_window"),
        none(_RATE),
    ),
}

OF_SERVER: Final[Mapping[str, Mapping[str, Successor]]] = {
    "ServerApp": _SERVER,
    "PasswordIdentityProvider": _IDENTITY,
    "FileContentsManager": _CONTENTS,
    "FileCheckpoints": _CHECKPOINTS,
    "MappingKernelManager": _KERNELS,
    "KernelManager": _KERNEL,
    "KernelRestarter": {
        "restart_limit": to("runner.restart_limit"),
        "stable_start_time": to("runner.stable_start_s"),
        "time_to_dead": none("deaths are noticed at once"),
        "random_ports_until_alive": none(_PORTS),
        "debug": none(_INSIDE),
    },
    "KernelSpecManager": {
        "allowed_kernelspecs": to("runner.allowed_kernelspecs"),
        "whitelist": to("runner.allowed_kernelspecs"),
        "ensure_native_kernel": to("runner.ensure_native_kernel"),
        "kernel_spec_class": none(_CLASS),
    },
    "ZMQChannelsWebsocketConnection": _CHANNELS,
    "SessionManager": {"database_filepath": none("sessions are in Redis: `redis-url`")},
    "TerminalManager": {
        "cull_inactive_timeout": to("runner.terminal_cull_inactive_timeout_s"),
        "cull_interval": to("runner.terminal_cull_interval_s"),
    },
    "NotebookNotary": {
        "data_dir": to("contents.data_dir"),
        **dict.fromkeys(("db_file", "secret_file"), none("they are in `contents.data_dir`")),
        **dict.fromkeys(("algorithm", "secret", "store_factory"), none(_THERE)),
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
        none(
            "other machines join with `perijove runner`; `JUPYTER_GATEWAY_*` is for stock servers"
        ),
    ),
    "LabApp": {
        "default_url": to("up.default-url"),
        "custom_css": to("up.custom-css"),
        "expose_app_in_browser": to("gateway_http.expose_app_in_browser"),
        "open_browser": to("up.browser"),
        "workspaces_dir": to("contents.workspaces_dir"),
        "user_settings_dir": to("contents.settings_dir"),
    },
}
"""By class and trait."""
