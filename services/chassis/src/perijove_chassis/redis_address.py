"""Where Redis is, and how one shows who one is: read from a URL."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from perijove_chassis.settings import Secret, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_REDIS_PORT, _SENTINEL_PORT = 6379, 26379
_LAST_PORT = 65535
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")


class Kind(enum.Enum):
    """What listens there."""

    SERVER = enum.auto()
    SENTINEL = enum.auto()
    CLUSTER = enum.auto()


_KINDS = {"": Kind.SERVER, "+sentinel": Kind.SENTINEL, "+cluster": Kind.CLUSTER}


@dataclass(frozen=True, slots=True)
class Login:
    """As whom one connects; nobody if the password is empty."""

    username: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is encrypted. The server's certificate is checked in any case."""

    ca_file: str = ""
    """Certificates to trust; those of the system if empty."""
    certificate_file: str = ""
    """What to show to the server; nothing if empty."""
    key_file: str = ""
    check_hostname: bool = True


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is."""

    kind: Kind = Kind.SERVER
    hosts: tuple[tuple[str, int], ...] = ()
    """Hosts and ports; one for a server, some of all for the others."""
    path: str = ""
    """Path of a unix socket, instead of a host."""
    service: str = ""
    """What sentinels call the server that is meant."""
    database: int = 0
    login: Login = Login()
    sentinel_login: Login = Login()
    tls: Tls | None = None

    @classmethod
    def parse(cls, url: str) -> RedisAddress:
        """Return the address that a URL stands for.

        - `redis://user:password@host:port/database`, `unix:///path?db=0`
        - `redis+sentinel://user:password@host:port,host:port/service/database`
        - `redis+cluster://user:password@host:port,host:port`

        With `rediss` instead of `redis` connections use TLS; `ssl_ca_certs`,
        `ssl_certfile`, `ssl_keyfile` and `ssl_check_hostname=false` in the query say
        how. Sentinels have a login of their own: `sentinel_username`,
        `sentinel_password`.

        Raises:
            SettingsError: if it is none; the text shows no part of the URL that may
                be secret.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        userinfo, _, places = parts.netloc.rpartition("@")
        login = _login(userinfo, options)
        if parts.scheme == "unix":
            _refuse_others(options, ("db",))
            if not parts.path:
                raise SettingsError("the URL of Redis names no socket")
            database = _database(options.get("db", ""))
            return cls(path=unquote(parts.path), database=database, login=login)
        scheme, plus, kind = parts.scheme.partition("+")
        if scheme not in ("redis", "rediss") or plus + kind not in _KINDS:
            raise SettingsError(
                "the URL of Redis begins with none of redis, rediss, unix, "
                "redis+sentinel, rediss+sentinel, redis+cluster, rediss+cluster"
            )
        tls = _tls(options) if scheme == "rediss" else None
        return _placed(cls(_KINDS[plus + kind], login=login, tls=tls), places, parts.path, options)


def _placed(
    address: RedisAddress, places: str, path: str, options: Mapping[str, str]
) -> RedisAddress:
    kind, tls = address.kind, address.tls
    known = ["db"] if kind is Kind.SERVER else []
    known += _TLS_OPTIONS if tls else ()
    known += _SENTINEL_OPTIONS if kind is Kind.SENTINEL else ()
    _refuse_others(options, known)
    service, _, database = path.strip("/").rpartition("/")
    if kind is Kind.SENTINEL and not service:
        service, database = database, ""
    hosts = _hosts(places, _SENTINEL_PORT if kind is Kind.SENTINEL else _REDIS_PORT)
    if kind is Kind.SENTINEL and not service:
        raise SettingsError("the URL of Redis names no service for the sentinels")
    if kind is not Kind.SENTINEL and service:
        raise SettingsError("the URL of Redis has a path that is no number of a database")
    if kind is Kind.SERVER and len(hosts) > 1:
        raise SettingsError(
            "the URL of Redis names several hosts, but neither sentinel nor cluster"
        )
    if kind is Kind.CLUSTER and database not in ("", "0"):
        raise SettingsError("the URL of Redis names a database: a cluster has only one")
    return RedisAddress(
        kind,
        hosts,
        service=unquote(service),
        database=_database(database or options.get("db", "")),
        login=address.login,
        sentinel_login=Login(
            options.get("sentinel_username", ""), Secret(options.get("sentinel_password", ""))
        ),
        tls=tls,
    )


def _login(userinfo: str, options: dict[str, str]) -> Login:
    username, _, password = userinfo.partition(":")
    return Login(
        options.pop("username", "") or unquote(username),
        Secret(options.pop("password", "") or unquote(password)),
    )


def _hosts(places: str, port: int) -> tuple[tuple[str, int], ...]:
    return tuple(_host(place, port) for place in places.split(","))


def _host(place: str, default_port: int) -> tuple[str, int]:
    host, port = place, ""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif ":" in place:
        host, _, port = place.rpartition(":")
    if port and (not port.isdecimal() or not 0 < int(port) <= _LAST_PORT):
        raise SettingsError("the URL of Redis has a port that is none")
    return unquote(host) or "localhost", int(port or default_port)


def _database(text: str) -> int:
    if text and not text.isdecimal():
        raise SettingsError("the URL of Redis has a database that is no number")
    return int(text or "0")


def _tls(options: Mapping[str, str]) -> Tls:
    ca, certificate, key, check = (options.get(name, "") for name in _TLS_OPTIONS)
    if check.lower() not in ("", "true", "false"):
        raise SettingsError("ssl_check_hostname in the URL of Redis is neither true nor false")
    if key and not certificate:
        raise SettingsError("the URL of Redis has ssl_keyfile without ssl_certfile")
    return Tls(ca, certificate, key, check_hostname=check.lower() != "false")


def _refuse_others(options: Mapping[str, str], known: Iterable[str]) -> None:
    if others := sorted(set(options).difference(known)):
        raise SettingsError(f"the URL of Redis has options that do not belong there: {others[0]}")
