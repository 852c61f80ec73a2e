"""Tokens in files, one each: what one process makes, another takes."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from perijove_chassis.errors import Unauthenticated

from perijove_kernels.joining.backends.private import write_private
from perijove_kernels.joining.model import KnownToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_chassis.join_token import JoinToken

# Made here: two threads must not be the first that use a type at the same time.
_token = msgspec.json.Decoder(KnownToken)


class FileTokens:
    """`Tokens` in a directory that only this user may enter."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, token: JoinToken, *, lifetime_s: float, uses: int) -> KnownToken:
        """Keep a new token: how long it holds, and for how many runners."""
        made = KnownToken(token.token_id, token.secret_digest(), time.time() + lifetime_s, uses)
        with self._alone():
            self._write(made)
        return made

    def find(self, token_id: str) -> KnownToken | None:
        """Return a token that holds now."""
        token = self._read(self._path(token_id))
        return token if token and token.expires > time.time() else None

    def use(self, token_id: str, runner_id: str) -> None:
        """Note that a runner joins with a token.

        Raises:
            Unauthenticated: if it holds no more, or others have used it up.
        """
        with self._alone():
            token = self.find(token_id)
            if token is None:
                raise Unauthenticated("the token to join with has expired", reason="NO_CREDENTIAL")
            if not token.admits(runner_id):
                raise Unauthenticated(
                    "the token to join with has been used", reason="NO_CREDENTIAL"
                )
            if runner_id not in token.runner_ids:
                self._write(replace(token, runner_ids=(*token.runner_ids, runner_id)))

    def all(self) -> list[KnownToken]:
        """Return all that hold, the one that expires first before the others; forget the rest."""
        found = []
        for path in self._directory.glob("*.json"):
            token = self._read(path)
            if token and token.expires > time.time():
                found.append(token)
            else:
                path.unlink(missing_ok=True)
        return sorted(found, key=lambda token: token.expires)

    def remove(self, token_id: str) -> bool:
        """Revoke a token; return whether there was one."""
        try:
            self._path(token_id).unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, token_id: str) -> Path:
        return self._directory / f"{Path(token_id).name}.json"

    def _read(self, path: Path) -> KnownToken | None:
        with suppress(FileNotFoundError, msgspec.MsgspecError):
            return _token.decode(path.read_bytes())
        return None

    def _write(self, token: KnownToken) -> None:
        write_private(self._path(token.token_id), msgspec.json.encode(token))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else change tokens meanwhile, in this process or another."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
