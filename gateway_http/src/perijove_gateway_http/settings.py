"""What the edge is told."""

from __future__ import annotations

import re
from http.cookies import CookieError
from typing import Literal
from urllib.parse import quote, unquote

import msgspec
from perijove_chassis.settings import Secret, SettingsError

from perijove_gateway_http.framing import V1
from perijove_gateway_http.identity.cookies import parse_options

PREFIX = "PERIJOVE_GATEWAY_HTTP_"

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
# Whoever serves it must be able to use it.
_MODE = re.compile(r"0*[67][0-7]{2}")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of `gateway_http`, from variables that begin with `PREFIX`."""

    service_key: Secret
    """Key of all services; signs the calls to them, and login cookies."""
    token: Secret
    """Token that a client presents. Empty only if there is something else to present, or
    together with `allow_anyone`."""
    password_file: str = ""
    """File that has what is stored of the password, as `perijove password` writes it, or
    the JSON of a `jupyter_server_config.json`. All replicas are to be told of the same
    file; a change is noticed within a second. No password if there is no such file."""
    password_fallback_file: str = ""
    """The same, for as long as the first one does not exist. It is only read."""
    allow_password_change: bool = True
    """Whether the login page takes a new password from who has the token or the old one."""
    policy_file: str = ""
    """TOML file that says who may do what (`identity/policy.py`); without one, everybody who
    is logged in may do everything. A change is noticed within a second."""
    hub: bool = False
    """Whether this is a server of a JupyterHub: it then tells the rest in its variables."""
    oidc_issuer: str = ""
    """Address of an OpenID provider whose users may log in; none if empty."""
    oidc_name: str = "OpenID Connect"
    """What people call it."""
    oidc_client_id: str = ""
    """What this site is to it."""
    oidc_client_secret: Secret = Secret("")
    """What this site shows to it; empty for a public client."""
    oidc_redirect_url: str = ""
    """Where it sends browsers back to: `oauth_callback` below the base URL, as browsers reach
    it. Made from the request if empty."""
    oidc_logout: bool = True
    """Whether who logs out here is sent on to log out there, if it says where that is."""
    oidc_logout_redirect_url: str = ""
    """Where it sends browsers back to after that; it must know the address. `logout` beside
    `oidc_redirect_url` if empty."""
    oidc_scopes: str = "openid profile email"
    """What it is asked for."""
    oidc_username_claim: str = "sub"
    """What of its words is the name of a user. Only `sub` never is another's later."""
    oidc_groups_claim: str = "groups"
    """What of them are the user's groups."""
    oidc_allowed_users: str = ""
    """Names, separated by commas, of those who may log in; `*` for everybody."""
    oidc_allowed_groups: str = ""
    """Groups, separated by commas, whose members may."""
    cookie_name: str = ""
    """Name of the login cookie; `username-` and the host if empty."""
    cookie_options: str = ""
    """Further attributes of the login cookie, as a JSON object: `{"SameSite": "Strict"}`."""
    contents: str
    """gRPC target of the contents service."""
    sessions: str
    """gRPC target of the sessions service."""
    kernels: str
    """gRPC target of the kernels service."""
    tls_dial_ca: str = ""
    """File of roots, in PEM, of the certificates that services at `tls:` addresses must show."""
    tls_dial_cert: str = ""
    """File of the certificate that this process shows to them, in PEM; none if empty."""
    tls_dial_key: str = ""
    """File of its private key, in PEM."""
    ip: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8888
    """Port to listen on; 0 for any."""
    listen_fd: int = -1
    """Listening socket to take over, in place of `ip` and `port`; none if negative."""
    sock: str = ""
    """Path of a unix socket to listen on, in place of `ip` and `port`. With `listen_fd`,
    where that is."""
    sock_mode: str = "0600"
    """Its permissions, in octal digits."""
    certfile: str = ""
    """File of the certificate that this process shows, in PEM: it then speaks https. When it
    changes, new connections get the new one."""
    keyfile: str = ""
    """File of its private key, in PEM; the same file if empty."""
    client_ca: str = ""
    """File of roots, in PEM: clients must show a certificate of theirs. None if empty."""
    trust_xheaders: bool = False
    """Whether X-Real-IP, X-Forwarded-For, X-Scheme and X-Forwarded-Proto are believed: only
    where nobody but a proxy that sets them reaches this process. Those of a hub's are."""
    launcher_fd: int = -1
    """Pipe by which whoever started all processes can be asked to end them; none if negative."""
    shutdown_no_activity_timeout: float = 0.0
    """Seconds without a request, a kernel or a terminal after which the whole server is
    ended; never if 0."""
    base_url: str = "/"
    """Prefix of every address, for example `/user/ada/`."""
    default_url: str = ""
    """Where `base_url` itself leads to, below it; if empty, to a front end that is installed."""
    custom_css: Literal["auto", "yes", "no"] = "auto"
    """Whether pages come with the user's own style, `custom/custom.css` of Jupyter's
    configuration. `auto`: those of Jupyter Notebook do, as without Perijove."""
    expose_app_in_browser: bool = False
    """Whether scripts find the front end's application as `jupyterapp`."""
    extensions_off: str = ""
    """Names, separated by commas, of installed extensions that are not used; Jupyter
    Notebook is one, `notebook`."""
    server_root: str = ""
    """What front ends show as the root directory. For people only."""
    allow_hidden: bool = False
    """Whether front ends may offer to show hidden entries: what the contents service is told."""
    delete_to_trash: bool = True
    """Whether front ends say that what is deleted can be got back: the same."""
    untracked_message_types: str = ""
    """Types of messages, separated by commas, that front ends take for no activity, in
    place of the usual: what the runners are told."""
    kernel_ws_protocol: str = V1
    """The format that kernels' WebSockets have if a client offers it. Any other name, or
    none, is the older one of JSON for all."""
    allowed_envs: str = ""
    """Names of variables, separated by commas, that a client may set for the kernel it starts,
    besides those that begin with `KERNEL_`."""
    list_kernels: bool = True
    """Whether clients are told which kernels and sessions there are, and not only of those
    whose ids they know. JupyterLab, and servers that have this one as their gateway, need it."""
    terminals: bool = True
    """Whether users may open terminals."""
    allow_anyone: bool = False
    """Whether everybody who reaches the port is a user, if `token` is empty."""
    allow_origin: str = ""
    """Origin of other sites that may use the API; `*` for every one."""
    allow_origin_pat: str = ""
    """Regular expression that such an origin matches as a whole."""
    allow_credentials: bool = False
    """Whether such sites may send cookies."""
    allow_remote_access: Literal["auto", "yes", "no"] = "auto"
    """Whether to answer for any `Host`. `auto`: unless the socket is a loopback one."""
    local_hostnames: str = "localhost"
    """Names, separated by commas, that are this machine where that matters."""
    disable_check_xsrf: bool = False
    """Whether requests with a cookie need not prove where they come from."""
    secure_cookie: bool = False
    """Whether cookies are for https only even if this process is reached by http."""
    headers: str = ""
    """JSON object of headers that every answer carries that does not set them itself.
    `Content-Security-Policy` takes the place of the usual policy of pages."""
    authenticate_metrics: bool = True
    """Whether `/metrics` needs a credential."""
    max_body_bytes: int = 512 * 1024 * 1024
    """Largest body of a request."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""
    log_format: Literal["json", "console"] = "json"
    """How log lines are written."""
    grace_s: float = 5.0
    """Seconds that requests get to finish when the process is told to stop."""

    def links_custom_css(self, app_name: str) -> bool:
        """Whether pages of an application come with the user's own style."""
        return self.custom_css == "yes" or (self.custom_css == "auto" and app_name == "notebook")

    def client_variables(self) -> frozenset[str]:
        """Return the names of variables that clients may set for their kernels."""
        names = (name.strip() for name in self.allowed_envs.split(","))
        return frozenset(filter(None, names))

    def checked(self) -> Settings:
        """Return the settings in their normal form.

        Raises:
            SettingsError: if one contradicts another.
        """
        if not self.service_key:
            raise SettingsError(f"{PREFIX}SERVICE_KEY: must not be empty")
        has_password = self.password_file or self.password_fallback_file
        has_provider = self.hub or self.oidc_issuer
        if not (self.token or has_password or has_provider or self.allow_anyone):
            raise SettingsError(
                f"{PREFIX}TOKEN: must not be empty, unless there is a {PREFIX}PASSWORD_FILE, "
                f"or {PREFIX}ALLOW_ANYONE is true"
            )
        self.extra_headers()
        _octal(self.sock_mode)
        if self.shutdown_no_activity_timeout and self.launcher_fd < 0:
            raise SettingsError(
                f"{PREFIX}SHUTDOWN_NO_ACTIVITY_TIMEOUT: there is nobody who could end the server"
            )
        if self.oidc_issuer and not (self.oidc_allowed_users or self.oidc_allowed_groups):
            raise SettingsError(f"{PREFIX}OIDC_ALLOWED_USERS: must say who may log in; * for all")
        try:
            parse_options(self.cookie_options)
        except CookieError as error:
            raise SettingsError(f"{PREFIX}COOKIE_OPTIONS: {error}") from None
        parts = [quote(unquote(part), safe="@~") for part in self.base_url.split("/") if part]
        return msgspec.structs.replace(self, base_url="/".join(["", *parts, ""]))

    def extra_headers(self) -> dict[str, str]:
        """Return the headers that every answer is to carry.

        Raises:
            SettingsError: if they are no JSON object of texts that may be in a header.
        """
        try:
            found = msgspec.json.decode(self.headers or "{}", type=dict[str, str])
        except msgspec.DecodeError as error:
            raise SettingsError(f"{PREFIX}HEADERS: {error}") from None
        for name, value in found.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise SettingsError(f"{PREFIX}HEADERS: {name!r} cannot be a header")
        return found

    def sock_permissions(self) -> int:
        """Return the permissions of the unix socket."""
        return _octal(self.sock_mode)


def _octal(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise SettingsError(f"{PREFIX}SOCK_MODE: {text!r} is no mode such as 0600")
    return int(text, 8)
