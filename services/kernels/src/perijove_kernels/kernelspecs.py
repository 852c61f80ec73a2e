"""The rules for kernelspecs: the union of what the live runners offer."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from perijove_chassis.errors import InvalidArgument, NotFound, Unavailable
from perijove_chassis.paging import page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_kernels.model import Kernelspec, Offer
    from perijove_kernels.store import KernelStore, Runners

_RUNNERS_TRIED = 3


class KernelspecManager:
    """Says what can be started, and reads the files that come with it."""

    def __init__(self, store: KernelStore, runners: Runners, *, default_kernelspec: str) -> None:
        self._store = store
        self._runners = runners
        self.default_name = default_kernelspec
        """Name of the kernelspec that is used where none is named."""
        self._last_known: tuple[Offer, ...] | None = None

    async def list(self, page_size: int, page_token: str) -> tuple[list[Kernelspec], str]:
        """Return kernelspecs in order of their names, and the token of the next page.

        Raises:
            InvalidArgument: if there can be no such page.
        """
        specs = [offer.kernelspec for offer in await self._offers()]
        return page(specs, lambda spec: spec.name, page_size, page_token)

    async def get(self, name: str) -> Kernelspec:
        """Return a kernelspec by its name, in any case of letters.

        Raises:
            InvalidArgument: if there is no name.
            NotFound: `NO_SUCH_KERNELSPEC`.
        """
        return (await self._offer(name)).kernelspec

    async def read_resource(self, name: str, resource: str) -> AsyncIterator[bytes]:
        """Read a file of a kernelspec, from any runner that has it.

        Raises:
            InvalidArgument: if it is not the name of a file.
            NotFound: if there is no such kernelspec or file.
        """
        if not resource or "/" in resource or "\0" in resource or resource in (".", ".."):
            raise InvalidArgument("resource is not the name of a file")
        offer = await self._offer(name)
        tried = random.sample(offer.runners, min(_RUNNERS_TRIED, len(offer.runners)))
        for runner in tried:
            begun = False
            try:
                async for chunk in self._runners.read_resource(runner, offer.kernelspec, resource):
                    begun = True
                    yield chunk
            except Unavailable:
                if begun or runner is tried[-1]:
                    raise
            else:
                return

    async def _offer(self, name: str) -> Offer:
        if not name:
            raise InvalidArgument("name is required")
        for offer in await self._offers():
            if offer.kernelspec.name.lower() == name.lower():
                return offer
        raise NotFound(f"Kernel spec {name[:100]} not found", reason="NO_SUCH_KERNELSPEC")

    async def _offers(self) -> tuple[Offer, ...]:
        try:
            self._last_known = await self._store.offers()
        except Unavailable:
            if self._last_known is None:
                raise
        return self._last_known
