"""How a process talks to Redis: bounded in time, never half-read, one kind of error."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from perijove_chassis.errors import Unavailable
from perijove_chassis.redis_address import RedisAddress
from perijove_chassis.redis_clients import TIMEOUT_S, Connections
from perijove_chassis.redis_outage import Outage, Silence

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from importlib.resources.abc import Traversable

log = structlog.get_logger()

_CONNECTIONS = 16
_WAITING = 4
"""Connections for what waits for an arrival, beside the others."""
_CANCEL_AGAIN_S = 0.05
_AWAY_S = 0.1
"""Between two attempts to reach a Redis that has just gone."""
_REMEMBERED_S = 60
"""Seconds for which the reply of a change is kept; longer than it may be sent again."""

_ONCE = """local done = table.remove(KEYS)
local function change()
{step}
end
local reply = redis.call('GET', done)
if reply then return cmsgpack.unpack(reply) end
reply = change()
redis.call('SET', done, cmsgpack.pack(reply), 'EX', {remembered_s})
return reply
"""


class Commands:
    """Runs scripts and commands on one Redis.

    A command is never cancelled once it is sent: its connection would hand the
    reply to whoever uses it next. A caller that goes away leaves it to end alone.
    """

    def __init__(self, url: str, scripts: Traversable, keys: Sequence[str]) -> None:
        """Make the clients; they connect on the first command.

        Args:
            url: As `RedisAddress.parse` reads it.
            scripts: Where the scripts are: `<name>.lua`, with `prelude.lua` before each.
            keys: What every script is given as KEYS; all share one hash tag.
        """
        address = RedisAddress.parse(url)
        self._connections = Connections(address, _CONNECTIONS)
        self._for_arrivals = Connections(address, _WAITING)
        self._outage, self._silence = Outage(), Silence(RedisTimeoutError)
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._arrival_turns = asyncio.Semaphore(_WAITING)
        self._folder = scripts
        self._keys = list(keys)
        self._tag = keys[0].partition(":")[0]
        self._scripts: dict[str, tuple[str, str]] = {}
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._waiting: set[asyncio.Future[Any]] = set()

    async def script(self, name: str, *arguments: str | float) -> Any:  # noqa: ANN401
        """Run a script that does no harm if it is run twice, and return its reply.

        Raises:
            Unavailable: `STATE_UNREACHABLE`, if Redis cannot be reached.
        """
        text, digest = self._script(name, once=False)
        return await self._shielded(self._evaluate(text, digest, self._keys, arguments))

    async def change(self, name: str, *arguments: str | float) -> Any:  # noqa: ANN401
        """Run a script once, however often it is sent, and return its reply.

        A connection that breaks before the reply came makes the client send the same
        again. So each call has an id, under which the script leaves its reply for a
        minute, in the same step.

        Raises:
            Unavailable: `STATE_UNREACHABLE`, if Redis cannot be reached.
        """
        text, digest = self._script(name, once=True)
        keys = [*self._keys, f"{self._tag}:done:{uuid.uuid4().hex}"]
        return await self._shielded(self._evaluate(text, digest, keys, arguments))

    async def arrival(self, stream: str, after: str, within_s: float) -> None:
        """Return when a stream has an entry behind an id, or the time is up.

        Args:
            stream: Key of the stream.
            after: Id of an entry; it need not exist.
            within_s: Shorter than a reply may take.

        Raises:
            Unavailable: `STATE_UNREACHABLE`, if Redis cannot be reached.
        """
        milliseconds = int(within_s * 1000)
        command = ("XREAD", "COUNT", 1, "BLOCK", milliseconds, "STREAMS", stream, after)
        waiting = asyncio.ensure_future(self._wait(*command))
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        await self._shielded(waiting)

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
        await self._connections.close()
        await self._for_arrivals.close()

    def _script(self, name: str, *, once: bool) -> tuple[str, str]:
        """Return a script and its digest."""
        found = self._scripts.get(name)
        if found is None:
            parts = ("prelude.lua", f"{name}.lua")
            text = "\n".join(self._folder.joinpath(part).read_text() for part in parts)
            if once:
                text = _ONCE.format(step=text, remembered_s=_REMEMBERED_S)
            digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            found = self._scripts[name] = text, digest
        return found

    async def _evaluate(
        self, text: str, digest: str, keys: Sequence[str], arguments: Sequence[str | float]
    ) -> Any:  # noqa: ANN401
        with self._silence.asking():
            return await self._in_turn(text, digest, keys, arguments)

    async def _in_turn(
        self, text: str, digest: str, keys: Sequence[str], arguments: Sequence[str | float]
    ) -> Any:  # noqa: ANN401
        async with _Turn(self._turns):
            while True:
                try:
                    reply = await self._send(text, digest, keys, arguments)
                except RedisConnectionError:
                    if not self._outage.worth_waiting():
                        raise
                    await asyncio.sleep(_AWAY_S)
                else:
                    self._outage.over()
                    return reply

    async def _send(
        self, text: str, digest: str, keys: Sequence[str], arguments: Sequence[str | float]
    ) -> Any:  # noqa: ANN401
        send = self._connections.send
        try:
            return await send("EVALSHA", digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return await send("EVAL", text, len(keys), *keys, *arguments)

    async def _wait(self, *command: str | int) -> None:
        async with _Turn(self._arrival_turns):
            await self._for_arrivals.send(*command)

    async def _shielded(self, command: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> Any:  # noqa: ANN401
        task = asyncio.ensure_future(command)
        self._in_flight.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except (RedisError, OSError, TimeoutError) as error:
            if isinstance(error, ResponseError):
                # It is there, and does not do it: read only, full, or not allowed to us.
                log.warning("redis refused", error=str(error)[:200])
            raise Unavailable(
                "the shared state cannot be reached", reason="STATE_UNREACHABLE"
            ) from error

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may have waited


class _Turn:
    """One of the connections, once it is free; `TimeoutError` if that takes too long."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns

    async def __aenter__(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await self._turns.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._turns.release()
