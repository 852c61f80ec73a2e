"""`perijove hub-user`: what JupyterHub tells the server that it starts for a user.

The variables are those that its spawners set, for `jupyterhub-singleuser` as for this.
What concerns logins the gateway reads itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = "hub-user"

SECRETS = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")
"""Variables that are for the gateway, and for kernels, whose users know them anyway."""

_OPTIONS = {
    "JUPYTERHUB_SERVICE_PREFIX": "--base-url",
    "JUPYTERHUB_ROOT_DIR": "--root-dir",
    "JUPYTERHUB_DEFAULT_URL": "--default-url",
    "JUPYTERHUB_SSL_CERTFILE": "--certfile",
    "JUPYTERHUB_SSL_KEYFILE": "--keyfile",
    "JUPYTERHUB_SSL_CLIENT_CA": "--client-ca",
}


def as_options(environ: Mapping[str, str]) -> list[str]:
    """Return the options of `perijove up` that do what the hub wants.

    Raises:
        Failure: if this was not started by a hub.
    """
    service = urlsplit(environ.get("JUPYTERHUB_SERVICE_URL", ""))
    missing = {"JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_API_TOKEN"} - environ.keys()
    if missing or not service.port:
        raise Failure("only a JupyterHub starts this: put it in place of jupyterhub-singleuser")
    host = service.hostname or "127.0.0.1"
    where = ["--ip", "*" if host in ("0.0.0.0", "::") else host, "--port", str(service.port)]
    given = [
        part
        for variable, option in _OPTIONS.items()
        if environ.get(variable)
        for part in (option, environ[variable])
    ]
    debug = ["--debug"] if environ.get("JUPYTERHUB_DEBUG") else []
    return ["--hub", "--no-browser", *where, *given, *debug]
