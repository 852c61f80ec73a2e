"""What people plug into saving, by the entry-point group `perijove.contents.save_hooks`."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import structlog
from perijove_chassis.errors import DomainError, FailedPrecondition, Unavailable

from perijove_contents.content import joined, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Hashable, Sequence

    from perijove_contents.model import Bytes, EntryPath, NotebookText
    from perijove_contents.store import ContentsStore, NotebookCodec

log = structlog.get_logger()

GROUP = "perijove.contents.save_hooks"
"""Entry points of this group are hooks: objects, or classes without arguments."""

_WORKERS = 4
_MAX_WAITING = 100


class HookNotLoadedError(Exception):
    """A hook is installed and cannot be used; without it saves might be what they must not be."""


@dataclass(frozen=True, slots=True)
class SaveHook:
    """One hook."""

    name: str
    """That of its entry point."""
    pre_save: Callable[[str, dict[str, Any]], dict[str, Any] | None] | None
    """Is given path and notebook, and changes it, returns another, or raises."""
    post_save: Callable[[str, str], None] | None
    """Is told the path and the place of what was saved."""


def installed_hooks() -> list[SaveHook]:
    """Load the hooks that are installed, in order of their names.

    Raises:
        HookNotLoadedError: if one of them cannot be.
    """
    found = metadata.entry_points(group=GROUP)
    return [_loaded(point) for point in sorted(found, key=lambda point: point.name)]


class SaveHooks:
    """Runs hooks in threads of their own, each for a limited time."""

    def __init__(self, hooks: Sequence[SaveHook], timeout_s: float) -> None:
        self._hooks = hooks
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="hooks")
        self._running = 0

    @property
    def has_pre_save(self) -> bool:
        """Whether any hook wants to see notebooks before they are saved."""
        return any(hook.pre_save for hook in self._hooks)

    async def before(self, path: EntryPath, data: bytes, *, in_model: bool) -> bytes:
        """Return the JSON text of a notebook as the hooks want it saved.

        Raises:
            FailedPrecondition: if one of them refuses it, fails, or takes too long.
        """
        notebook = await self._run("", _parsed, data, in_model)
        for hook in self._hooks:
            if hook.pre_save:
                notebook = await self._changed(hook, path, notebook)
        return bytes(await self._run("", _text, notebook))

    async def after(self, path: EntryPath, location: str) -> None:
        """Tell the hooks that something was saved, which it is, whatever they do."""
        for hook in self._hooks:
            if hook.post_save:
                try:
                    await self._run(hook.name, hook.post_save, str(path), location)
                except DomainError as error:
                    log.warning("a save hook gave up", hook=hook.name, error=str(error))
                except Exception:
                    log.exception("a save hook failed", hook=hook.name, path=str(path))

    async def _changed(
        self, hook: SaveHook, path: EntryPath, notebook: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            changed = await self._run(hook.name, hook.pre_save, str(path), notebook)
        except DomainError:
            raise
        except ValueError as error:
            # The way of a hook to refuse: its text is for people.
            raise _refusal(hook, path, f": {error}") from error
        except Exception as error:
            log.exception("a save hook failed", hook=hook.name, path=str(path))
            raise _refusal(hook, path, " because it failed") from error
        if changed is None:
            return notebook
        if not isinstance(changed, dict):
            raise _refusal(hook, path, " because it returned no notebook")
        return changed

    async def _run(self, name: str, function: Any, *arguments: object) -> Any:  # noqa: ANN401
        if self._running >= _WORKERS + _MAX_WAITING:
            raise Unavailable("too many save hooks are running")
        self._running += 1
        work = self._threads.submit(function, *arguments)
        future = asyncio.wrap_future(work)
        future.add_done_callback(self._done)
        # One that has begun cannot be stopped: it goes on, and nobody waits for it.
        done, _ = await asyncio.wait((future,), timeout=self._timeout_s)
        if not done:
            work.cancel()
            raise FailedPrecondition(
                f"the save hook {name or 'threads'} did not end within {self._timeout_s:g} s",
                reason="SAVE_REFUSED",
            )
        return future.result()

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._running -= 1
        # Looked at, so that it is not reported as forgotten.
        if not future.cancelled():
            future.exception()


class HookedCodec:
    """A codec whose notebooks pass the hooks before they are written."""

    def __init__(self, codec: NotebookCodec, hooks: SaveHooks) -> None:
        self._codec = codec
        self._hooks = hooks

    async def recall(self, version: Hashable) -> NotebookText | None:
        """Return what `read` made of this version of a file."""
        return await self._codec.recall(version)

    async def read(self, path: EntryPath, data: bytes, version: Hashable = None) -> NotebookText:
        """Turn stored bytes into the JSON text of a notebook."""
        return await self._codec.read(path, data, version)

    async def settle(self, text: NotebookText) -> None:
        """Wait as if there were no hooks."""
        await self._codec.settle(text)

    async def trust(self, path: EntryPath, data: bytes) -> None:
        """Remember a notebook as one whose outputs may be shown."""
        await self._codec.trust(path, data)

    async def write(self, path: EntryPath, data: bytes, *, in_model: bool = False) -> NotebookText:
        """Turn what the hooks make of a notebook into the bytes to store."""
        data, in_model = await self._changed(path, data, in_model=in_model)
        return await self._codec.write(path, data, in_model=in_model)

    async def prepare(
        self, path: EntryPath, pieces: AsyncIterable[Bytes], *, in_model: bool = False
    ) -> Callable[[], NotebookText]:
        """Prepare to write what the hooks make of a notebook."""
        data, in_model = await self._changed(path, await joined(pieces), in_model=in_model)
        return await self._codec.prepare(path, whole(data), in_model=in_model)

    async def _changed(self, path: EntryPath, data: bytes, *, in_model: bool) -> tuple[bytes, bool]:
        try:
            return await self._hooks.before(path, data, in_model=in_model), False
        except _NoNotebookError:
            # The codec says best what is wrong with it.
            log.debug("no notebook for the save hooks", path=str(path))
            return data, in_model


def teller(hooks: SaveHooks, store: ContentsStore) -> Callable[[EntryPath], Any]:
    """Return what tells the hooks that an entry of a store was saved."""

    async def tell(path: EntryPath) -> None:
        place = await store.kernel_path(path)
        await hooks.after(path, place.document_location)

    return tell


class _NoNotebookError(Exception):
    """What is to be saved is no JSON object."""


def _loaded(point: metadata.EntryPoint) -> SaveHook:
    try:
        hook = point.load()
        hook = hook() if isinstance(hook, type) else hook
        pre_save, post_save = getattr(hook, "pre_save", None), getattr(hook, "post_save", None)
    except Exception as error:
        raise HookNotLoadedError(f"the save hook {point.name} cannot be loaded") from error
    if not callable(pre_save) and not callable(post_save):
        raise HookNotLoadedError(f"the save hook {point.name} has no pre_save and no post_save")
    return SaveHook(point.name, pre_save, post_save)


def _refusal(hook: SaveHook, path: EntryPath, why: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"the save hook {hook.name} refused {path}{why}", reason="SAVE_REFUSED"
    )


def _parsed(data: bytes, in_model: bool) -> dict[str, Any]:  # noqa: FBT001
    try:
        found = json.loads(data)
        notebook = found["content"] if in_model else found
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _NoNotebookError from error
    if not isinstance(notebook, dict):
        raise _NoNotebookError
    return notebook


def _text(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()
