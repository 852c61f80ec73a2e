"""How a process talks to Redis: bounded in time, never half-read, one kind of error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError

from perijove_chassis.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from importlib.resources.abc import Traversable

    from redis.commands.core import AsyncScript

T = TypeVar("T")

_SOCKET_TIMEOUT_S = 1.5
_CONNECTIONS = 32
_CANCEL_AGAIN_S = 0.05


class Commands:
    """Runs scripts and commands on one Redis.

    A command is never cancelled once it is sent: its connection would hand the
    reply to whoever uses it next. A caller that goes away leaves it to end alone.
    """

    def __init__(self, url: str, scripts: Traversable, keys: Sequence[str]) -> None:
        """Make a client; it connects on the first command.

        Args:
            url: `redis://host:port/0` or `unix:///path`.
            scripts: Where the scripts are: `<name>.lua`, with `prelude.lua` before each.
            keys: What every script is given as KEYS.
        """
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_SOCKET_TIMEOUT_S,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
            # A connection that broke while idle is tried once more; nothing is waited for.
            retry=Retry(ConstantBackoff(0.02), 1),
            decode_responses=True,
            protocol=2,
        )
        self.redis = Redis.from_pool(pool)
        self._folder = scripts
        self._keys = list(keys)
        self._scripts: dict[str, AsyncScript] = {}
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._waiting: set[asyncio.Future[Any]] = set()

    async def script(self, name: str, *arguments: str | float) -> Any:  # noqa: ANN401
        """Run a script and return its reply.

        Raises:
            Unavailable: `STATE_UNREACHABLE`, if Redis cannot be reached.
        """
        script = self._scripts.get(name)
        if script is None:
            text = "\n".join(
                self._folder.joinpath(part).read_text() for part in ("prelude.lua", f"{name}.lua")
            )
            script = self._scripts[name] = self.redis.register_script(text)
        return await self.run(script(keys=self._keys, args=list(arguments)))

    async def run(self, command: Awaitable[T]) -> T:
        """Wait for a command and return its reply.

        Raises:
            Unavailable: `STATE_UNREACHABLE`, if Redis cannot be reached.
        """
        task = asyncio.ensure_future(command)
        self._in_flight.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(
                "the shared state cannot be reached", reason="STATE_UNREACHABLE"
            ) from error

    async def arrival(self, stream: str, after: str, within_s: float) -> None:
        """Return when a stream has an entry behind an id, or the time is up.

        Args:
            stream: Key of the stream.
            after: Id of an entry; it need not exist.
            within_s: Shorter than a reply may take.

        Raises:
            Unavailable: `STATE_UNREACHABLE`, if Redis cannot be reached.
        """
        command = self.redis.xread({stream: after}, count=1, block=int(within_s * 1000))
        waiting = asyncio.ensure_future(command)
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        await self.run(waiting)

    async def close(self) -> None:
        """Wait for the commands in flight, then close the connections."""
        # Those that only wait may be cancelled here: nobody uses a connection next.
        # The client has been seen to swallow it while it connects, hence again.
        while self._waiting:
            for waiting in self._waiting:
                waiting.cancel()
            await asyncio.wait(self._waiting, timeout=_CANCEL_AGAIN_S)
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        await self.redis.aclose()
        await self.redis.connection_pool.disconnect()

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may have waited
