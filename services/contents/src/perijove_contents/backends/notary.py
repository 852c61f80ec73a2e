"""Which notebooks were made here: signatures, kept where Jupyter keeps them."""

from __future__ import annotations

import hmac
import os
import secrets
import time
from base64 import encodebytes
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from nbformat.sign import NotebookNotary

    from perijove_contents.backends.leaves import Leaves

log = structlog.get_logger()

_MAX_REMEMBERED = 4096
_REMEMBERED_S = 60.0
_SECRET_BYTES = 1024
_DATABASE = "nbsignatures.db"


class Notary:
    """Signs notebooks and recognises those it has signed.

    It is the notary of nbformat, with its secret and its database in Jupyter's
    data directory, so that `jupyter trust` and other servers agree with it. A
    failure costs trust and nothing else: it never stands in the way of a read
    or a save.
    """

    def __init__(self, data_directory: str) -> None:
        """Make a notary; it opens its files when first asked.

        Args:
            data_directory: Where the secret and the database are.
        """
        self._directory = Path(data_directory)
        # One thread owns the database connection, which must not be shared.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notary")
        self._notary: NotebookNotary | None = None
        # The database notes on each check when that was, on the disk. Recently
        # confirmed signatures are not asked for again, so that reading does not write.
        self._confirmed: dict[str, float] = {}

    def has_signed(self, tree: dict[str, Any]) -> bool:
        """Return whether a notebook is one that was signed. Blocks."""
        try:
            signature = self._signature(tree)
            return (
                self._is_confirmed(signature)
                or self._thread.submit(self._check, signature).result()
            )
        except Exception:
            log.warning("signatures cannot be read", exc_info=True)
            return False

    def edition(self) -> object:
        """Return what is equal as long as the same notebooks are signed. Blocks."""
        try:
            status = os.stat(self._directory / _DATABASE)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def sign(self, tree: dict[str, Any]) -> Callable[[], None]:
        """Remember a notebook as trusted.

        Whether texts are lists of lines makes no difference to its signature, but
        to compute it from many lines takes several times longer.

        Returns:
            What waits until it is stored; the notebook may change before.
        """
        try:
            signature = self._signature(tree)
            stored = None
            if not self._is_confirmed(signature):
                stored = self._thread.submit(self._store, signature)
        except Exception:
            log.warning("a notebook cannot be signed", exc_info=True)
            stored = None
        return _wait_for(stored)

    def sign_aside(self, tree: dict[str, Any], leaves: Leaves) -> Callable[[], None]:
        """Remember a notebook as trusted, beside whatever else is done.

        Hashing large texts leaves the interpreter to others.

        Args:
            tree: The notebook. It must not change any more.
            leaves: What was taken out of it.

        Returns:
            What waits until it is stored.
        """
        return _wait_for(self._thread.submit(self._sign, tree, leaves))

    def close(self) -> None:
        """Close the database."""
        if self._notary:
            self._thread.submit(self._notary.close).result()
        self._thread.shutdown()

    def _signature(self, tree: dict[str, Any]) -> str:
        notary = self._notary or self._thread.submit(self._opened).result()
        return str(notary.compute_signature(tree))

    def _sign(self, tree: dict[str, Any], leaves: Leaves) -> None:
        notary = self._opened()
        from nbformat.sign import yield_everything  # noqa: PLC0415

        digest = hmac.new(notary.secret, digestmod=notary.digestmod)
        for text in leaves.filled_in(yield_everything(tree)):
            digest.update(text)
        if not self._is_confirmed(digest.hexdigest()):
            self._store(digest.hexdigest())

    def _is_confirmed(self, signature: str) -> bool:
        return self._confirmed.get(signature, 0.0) > time.monotonic()

    def _check(self, signature: str) -> bool:
        notary = self._opened()
        known = bool(notary.store.check_signature(signature, notary.algorithm))
        if known:
            self._remember(signature)
        return known

    def _store(self, signature: str) -> None:
        notary = self._opened()
        notary.store.store_signature(signature, notary.algorithm)
        self._remember(signature)

    def _remember(self, signature: str) -> None:
        while len(self._confirmed) >= _MAX_REMEMBERED:
            del self._confirmed[next(iter(self._confirmed))]
        self._confirmed[signature] = time.monotonic() + _REMEMBERED_S

    def _opened(self) -> NotebookNotary:
        if self._notary is None:
            # Heavy, and needed only where notebooks are.
            from nbformat.sign import NotebookNotary  # noqa: PLC0415

            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._notary = NotebookNotary(data_dir=str(self._directory), secret=self._secret())
        return self._notary

    def _secret(self) -> bytes:
        place = self._directory / "notebook_secret"
        if not place.exists():
            # Whole before it has its name: another process may read it at once.
            made = place.with_name(f"{place.name}.{secrets.token_hex(8)}")
            fd = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(fd, "wb") as file:
                file.write(encodebytes(secrets.token_bytes(_SECRET_BYTES)))
            with suppress(FileExistsError):
                os.link(made, place)
            made.unlink()
        return place.read_bytes()


def _wait_for(work: Future[None] | None) -> Callable[[], None]:
    def wait() -> None:
        try:
            if work:
                work.result()
        except Exception:
            log.warning("a notebook cannot be signed", exc_info=True)

    return wait
