"""How the parts of the events fit together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perijove_sessions.events.backends.redis import RedisEventStore
from perijove_sessions.events.backends.schemas import LoadedSchemas, all_documents
from perijove_sessions.events.manager import EventManager
from perijove_sessions.events.store import Kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from perijove_sessions.settings import Settings


class Events:
    """The events of one process."""

    def __init__(self, settings: Settings) -> None:
        self._store = RedisEventStore(settings.redis_url.reveal(), Kept(settings.events_kept))
        schemas = LoadedSchemas(all_documents(settings.event_schemas))
        self.manager = EventManager(self._store, schemas)

    def beside(
        self, other: Callable[[], Coroutine[None, None, None]]
    ) -> Callable[[], Awaitable[None]]:
        """Return what to do in the background: what events need, and something else."""

        async def both() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.manager.run())
                tasks.create_task(other())

        return both

    async def close(self) -> None:
        """Close the connections."""
        await self._store.close()
