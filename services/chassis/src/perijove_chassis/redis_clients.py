"""Connections to Redis: to a server, to the one that sentinels name, or to a cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException
from redis.exceptions import TimeoutError as RedisTimeoutError

from perijove_chassis.redis_address import Kind

if TYPE_CHECKING:
    from perijove_chassis.redis_address import Login, RedisAddress, Tls

TIMEOUT_S = 1.5
"""Longest wait for a connection, for a reply, and for one's turn."""
_RETRIES = 2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.2
_HEALTH_CHECK_S = 15
"""Seconds after which a connection that was idle is asked whether it still is one."""


class Connections:
    """A client with a bounded number of connections, which it makes as they are needed.

    A command whose connection breaks is sent again, a few times within a second. One
    whose reply does not come in time is not: it may still be on its way.
    """

    def __init__(self, address: RedisAddress, most: int) -> None:
        """Make the client; it connects on the first command.

        Args:
            address: Of Redis.
            most: How many commands will be under way at the same time, at most.
                Whoever sends more gets an error.
        """
        self._sentinels: list[Redis] = []
        self._looking_around = asyncio.Lock()
        self.client: Redis | RedisCluster
        options: dict[str, Any] = {
            "max_connections": most,
            "health_check_interval": _HEALTH_CHECK_S,
            "decode_responses": True,
            "retry": _retry(),
            **_times(),
            **_credentials(address.login),
        }
        if address.kind is Kind.CLUSTER:
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            options |= _encryption(address.tls)
            self.client = RedisCluster(startup_nodes=nodes, **options)
        elif address.kind is Kind.SENTINEL:
            self.client = self._named_by_sentinels(address, options)
        else:
            self.client = Redis.from_pool(ConnectionPool(**options, **_place(address)))

    async def send(self, *command: str | float) -> Any:  # noqa: ANN401
        """Send a command, and return its reply.

        Raises:
            redis.exceptions.RedisError: a `TimeoutError` only if no answer came in time.
        """
        try:
            return await self._send(*command)
        except RedisConnectionError as error:
            if _is_late(error):
                raise RedisTimeoutError("no answer while connecting") from error
            raise

    async def _send(self, *command: str | float) -> Any:  # noqa: ANN401
        execute: Any = self.client.execute_command
        if not isinstance(self.client, RedisCluster):
            return await execute(*command)
        try:
            # Those who ask first at the same time would close each other's connections.
            async with self._looking_around:
                await self.client.initialize()
            return await execute(*command)
        except (AttributeError, RedisClusterException) as error:
            # So they do, too, while the client looks around again after a failure.
            raise RedisConnectionError("no node of the cluster can be asked") from error

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
        for sentinel in self._sentinels:
            await sentinel.aclose()

    def _named_by_sentinels(self, address: RedisAddress, options: dict[str, Any]) -> Redis:
        """Return a client of the server that sentinels name, whichever it is."""
        encryption = _encryption(address.tls)
        watchers: Any = Sentinel  # it has no types
        found = watchers(
            address.hosts,
            sentinel_kwargs={
                **_times(),
                **_credentials(address.sentinel_login),
                **encryption,
                # The next one is asked instead.
                "retry": Retry(NoBackoff(), 0),
            },
        )
        self._sentinels = found.sentinels
        pool: Any = SentinelConnectionPool
        options |= {"db": address.database, **encryption}
        return Redis.from_pool(pool(address.service, found, **options))


class _Retry(Retry):
    """Tries again where a connection broke, and not where nobody answers."""

    async def call_with_retry(self, do: Any, fail: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Call until it succeeds, or it is not worth it any more."""
        del args
        options["is_retryable"] = lambda error: not _is_late(error)
        return await super().call_with_retry(do, fail, **options)


def _is_late(error: BaseException) -> bool:
    """Return whether a connection failed because its other end said nothing."""
    late = (TimeoutError, RedisTimeoutError)
    return isinstance(error.__cause__, late) or isinstance(error.__context__, late)


def _place(address: RedisAddress) -> dict[str, Any]:
    where: dict[str, Any] = {"db": address.database}
    if address.path:
        return where | {"connection_class": UnixDomainSocketConnection, "path": address.path}
    where["host"], where["port"] = address.hosts[0]
    if address.tls:
        where |= {**_encryption(address.tls), "connection_class": SSLConnection}
        del where["ssl"]
    return where


def _times() -> dict[str, Any]:
    return {
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "protocol": 2,
    }


def _retry() -> Retry:
    pauses = ExponentialWithJitterBackoff(base=_FIRST_PAUSE_S, cap=_LONGEST_PAUSE_S)
    return _Retry(pauses, _RETRIES, supported_errors=(RedisConnectionError,))


def _credentials(login: Login) -> dict[str, Any]:
    if not login.password:
        return {}
    return {"username": login.username or None, "password": login.password.reveal()}


def _encryption(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    return {
        "ssl": True,
        "ssl_ca_certs": tls.ca_file or None,
        "ssl_certfile": tls.certificate_file or None,
        "ssl_keyfile": tls.key_file or None,
        "ssl_check_hostname": tls.check_hostname,
    }
