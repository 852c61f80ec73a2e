"""Typed settings, read once from the environment and passed down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(Exception):
    """A setting is missing or wrong; the text names its variable, not its value."""


class Secret:
    """A text that does not show itself in logs, errors and reprs."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***"


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every gRPC process is told."""

    listen: str
    """gRPC addresses to serve, separated by commas: `unix:/path`, `tls:host:port`, or
    `host:port` without TLS, which must be a loopback one."""
    plain_text: bool = False
    """Whether to listen without TLS for other machines, too: behind what encrypts."""
    tls_cert: str = ""
    """File of the certificate that `tls:` addresses show, in PEM. When it changes, new
    connections get the new one."""
    tls_key: str = ""
    """File of its private key, in PEM."""
    tls_client_ca: str = ""
    """File of roots, in PEM: callers over TLS must show a certificate of theirs. None if empty."""
    tls_dial_ca: str = ""
    """File of roots, in PEM, of the certificates that callees at `tls:` addresses must show."""
    tls_dial_cert: str = ""
    """File of the certificate that this process shows to them, in PEM; none if empty."""
    tls_dial_key: str = ""
    """File of its private key, in PEM."""
    service_key: Secret = Secret("")
    """Key of all services, or of this runner alone; signs and checks credentials."""
    api_token: Secret = Secret("")
    """Token that clients outside may use as credential; none if empty."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""
    log_format: Literal["json", "console"] = "json"
    """How log lines are written."""
    metrics_listen: str = ""
    """`host:port` for Prometheus; none if empty."""
    grace_s: float = 5.0
    """Seconds that calls in flight get when the process is told to stop."""
    max_calls: int = 10_000
    """How many calls are served at the same time; more get RESOURCE_EXHAUSTED."""
    reflection: bool = False
    """Whether to serve gRPC reflection."""

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses to serve."""
        return tuple(address for part in self.listen.split(",") if (address := part.strip()))


def load(cls: type[T], prefix: str, environ: Mapping[str, str]) -> T:
    """Read a settings struct: field `listen` of prefix `X_` is variable `X_LISTEN`.

    Raises:
        SettingsError: if a variable is missing or has no value of its type.
    """
    raw = {
        field: environ[name]
        for field in cls.__struct_fields__
        if (name := prefix + field.upper()) in environ
    }
    try:
        return msgspec.convert(raw, cls, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(_explain(cls, prefix, str(error))) from None


def _decode(kind: type, value: Any) -> Any:  # noqa: ANN401 - the signature msgspec asks for
    if kind is Secret:
        return Secret(str(value))
    raise NotImplementedError


def _explain(cls: type[msgspec.Struct], prefix: str, message: str) -> str:
    for field in cls.__struct_fields__:
        if f"`{field}`" in message or f"$.{field}" in message:
            return f"{prefix}{field.upper()}: {message.partition(' - at')[0]}"
    return message
