"""The password of this process's users: checked, changed, and looked at again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog

from perijove_gateway_http.identity import password_hash
from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove_gateway_http.identity.password_file import PasswordFile
    from perijove_gateway_http.identity.versions import Version

T = TypeVar("T")

log = structlog.get_logger()

MAX_CHARACTERS = 1024
"""Longest password."""

_AT_ONCE = 2
_MOST_WAITING = 32
_LOOK_S = 5.0


class Passwords:
    """Knows the password as it is stored now.

    It is in memory, so that no request waits for a disk; `refresh` looks whether
    the file is another one. If the file cannot be looked at, what was known holds.
    """

    def __init__(self, file: PasswordFile, *, may_change: bool) -> None:
        """Read the password.

        Raises:
            OSError: if the file is there and cannot be read.
        """
        self._file = file
        self._may_change = may_change
        self._version: tuple[Version, ...] = file.version()
        self._stored = file.read()
        self._looking: asyncio.Task[None] | None = None
        self._checking = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    @property
    def stored(self) -> str:
        """What is stored of it; empty if there is none."""
        return self._stored

    @property
    def can_change(self) -> bool:
        """Whether a new one may be chosen here."""
        return self._may_change and bool(self._file)

    async def check(self, text: str) -> bool:
        """Whether a text is the password.

        Raises:
            Problem: 429 if too many ask: each costs much memory and time.
        """
        if not self._stored or not text or len(text) > MAX_CHARACTERS:
            return False
        return await self._hashing(password_hash.matches, self._stored, text)

    async def change(self, text: str) -> None:
        """Store a new one, for all replicas that read the same file.

        Raises:
            Problem: 400 if it is none, 403 if it cannot be changed here.
        """
        if not text or len(text) > MAX_CHARACTERS:
            raise Problem(400, "a password has between 1 and 1024 characters")
        if not self.can_change:
            raise Problem(403, "the password cannot be changed here")
        stored = await self._hashing(password_hash.make, text)
        try:
            await asyncio.to_thread(self._file.write, stored)
        except OSError as error:
            log.warning("the password cannot be stored", error=error.strerror)
            raise Problem(403, "the password cannot be changed here: it is read-only") from None
        self._stored = stored
        log.info("the password was changed")

    async def refresh(self) -> None:
        """Look whether it was changed elsewhere. One look serves all who ask meanwhile."""
        if not self._file:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        # What hangs, as a share does whose server is away, keeps nobody waiting for long.
        await asyncio.wait({self._looking}, timeout=_LOOK_S)

    async def close(self) -> None:
        """End a look that is under way."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        try:
            version = await asyncio.to_thread(self._file.version)
            if version == self._version:
                return
            stored = await asyncio.to_thread(self._file.read)
        except OSError as error:
            log.warning("the password cannot be read", error=error.strerror)
            return
        self._version = version
        if stored != self._stored:
            self._stored = stored
            log.info("the password is another one now", there_is_one=bool(stored))

    async def _hashing(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _MOST_WAITING:
            raise Problem(429, "too many people log in at the same time")
        self._waiting += 1
        try:
            async with self._checking:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1
