"""Notebooks understood: the rules of nbformat, in threads."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from perijove_chassis.errors import InvalidArgument, Unavailable

from perijove_contents.backends import notebook_json
from perijove_contents.model import EntryPath, NotebookText

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from perijove_contents.backends.notary import Notary
    from perijove_contents.backends.recent import RecentNotebooks
    from perijove_contents.backends.threads import Threads

_EXPLAINED_BYTES = 1024 * 1024
"""Largest notebook whose faults are explained well: that takes seconds for larger ones."""

_MAX_MESSAGE = 16 * 1024

# What nbformat raises on JSON that is not shaped like a notebook.
_MISSHAPEN = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class NbformatCodec:
    """Reads and writes notebooks as nbformat does.

    Work on large notebooks holds the interpreter for up to a second, so it is
    kept to few threads. Nothing but bytes goes in and comes out: the threads
    may become processes.
    """

    def __init__(self, threads: Threads, notary: Notary, recent: RecentNotebooks) -> None:
        self._threads = threads
        self._notary = notary
        self._recent = recent

    async def recall(self, version: Hashable) -> NotebookText | None:
        """Return what was last made of a version of a file, unless trust has changed since."""
        if version is None:
            return None
        return self._recent.get(version, await self._threads.run(self._notary.edition))

    async def read(self, path: EntryPath, data: bytes, version: Hashable = None) -> NotebookText:
        """Turn stored bytes into the JSON text of a notebook."""
        try:
            text, edition = await self._threads.run(_read_as_of, data, self._notary)
        except _MISSHAPEN as error:
            raise InvalidArgument(
                f"{path} is not a readable notebook: {_cause(error)}",
                reason="UNREADABLE_NOTEBOOK",
            ) from error

        if version is not None:
            self._recent.put(version, edition, text)
        return text

    async def write(self, path: EntryPath, data: bytes, *, in_model: bool = False) -> NotebookText:
        """Turn the JSON text of a notebook into the bytes to store."""
        try:
            return await self._threads.run(write_notebook, data, self._notary, in_model=in_model)
        except _MISSHAPEN as error:
            raise InvalidArgument(
                f"the content for {path} is not a notebook: {_cause(error)}", reason="BAD_FORMAT"
            ) from error

    async def trust(self, path: EntryPath, data: bytes) -> None:
        """Remember a notebook as one whose outputs may be shown."""
        try:
            is_kept = await self._threads.run(trust_notebook, data, self._notary)
        except _MISSHAPEN as error:
            raise InvalidArgument(
                f"{path} is not a readable notebook: {_cause(error)}",
                reason="UNREADABLE_NOTEBOOK",
            ) from error
        if not is_kept:
            raise Unavailable("signatures cannot be stored")


def _read_as_of(data: bytes, notary: Notary) -> tuple[NotebookText, object]:
    # Before the notary is asked, so that what changes meanwhile is not missed.
    edition = notary.edition()
    return read_notebook(data, notary), edition


def read_notebook(data: bytes, notary: Notary) -> NotebookText:
    """Return a stored notebook as it is served.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is none.
    """
    decoded = notebook_json.Decoded(data)
    message = ""
    if notebook_json.major_of(decoded.tree) == notebook_json.MAJOR:
        notebook_json.join_lines(decoded.tree)
        notebook_json.strip_transient(decoded.tree)
        # Before new ids change what was signed.
        trusted = notary.has_signed(decoded.tree)
        message = _check(decoded.tree, len(data))
    else:
        decoded.tree, message = _upgraded(data)
        trusted = notary.has_signed(decoded.tree)
    notebook_json.mark_trusted(decoded.tree, trusted=trusted)
    return NotebookText(notebook_json.encode(decoded), message)


def write_notebook(data: bytes, notary: Notary, *, in_model: bool = False) -> NotebookText:
    """Return a notebook that was sent as it is stored, and sign it if it is trusted.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is none.
    """
    decoded = notebook_json.Decoded(data)
    if in_model:
        decoded.unwrap()
    tree = decoded.tree
    if notebook_json.major_of(tree) != notebook_json.MAJOR:
        if "nbformat" not in tree:
            raise ValueError("it does not say its format")
        return _write_old(tree)
    message = _check(tree, len(data))
    trusted = notebook_json.is_trusted_by_sender(tree)
    notebook_json.strip_transient(tree)
    # Stored while the notebook is encoded; known to be so before it is.
    wait_until_signed = notary.sign(tree) if trusted else None
    notebook_json.split_lines(tree)
    text = NotebookText(notebook_json.encode_for_storage(decoded), message)
    if wait_until_signed:
        wait_until_signed()
    return text


def trust_notebook(data: bytes, notary: Notary) -> bool:
    """Sign a stored notebook, and return whether that is kept.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is none.
    """
    tree = notebook_json.Decoded(data).tree
    if notebook_json.major_of(tree) == notebook_json.MAJOR:
        notebook_json.join_lines(tree)
        notebook_json.strip_transient(tree)
    else:
        tree, _ = _upgraded(data)
    notary.sign(tree)()
    return notary.has_signed(tree)


def _check(tree: dict[str, Any], size: int) -> str:
    """Complete the ids of a notebook, and return what is wrong with it."""
    from nbformat.corpus.words import generate_corpus_id  # noqa: PLC0415
    from nbformat.validator import ValidationError, get_validator  # noqa: PLC0415

    notebook_json.complete_ids(tree, generate_corpus_id)
    validator = get_validator(notebook_json.MAJOR, notebook_json.minor_of(tree))
    try:
        validator.validate(tree)
    except ValidationError as error:
        return _explanation(tree, error) if size <= _EXPLAINED_BYTES else _told(error)
    return ""


def _explanation(tree: dict[str, Any], error: Exception) -> str:
    from nbformat.validator import iter_validate  # noqa: PLC0415

    minor = notebook_json.minor_of(tree)
    errors = iter_validate(tree, version=notebook_json.MAJOR, version_minor=minor)
    return _told(next(iter(errors), error))


def _told(error: Exception) -> str:
    instance = json.dumps(getattr(error, "instance", None), indent=1, default=str)
    return f"Notebook validation failed: {error}:\n{instance}"[:_MAX_MESSAGE]


def _upgraded(data: bytes) -> tuple[dict[str, Any], str]:
    import nbformat  # noqa: PLC0415

    faults: dict[str, Exception] = {}
    with _anything_means_misshapen():
        tree = nbformat.reads(
            data.decode(), as_version=notebook_json.MAJOR, capture_validation_error=faults
        )
    return tree, _told(faults["ValidationError"]) if faults else ""


def _write_old(tree: dict[str, Any]) -> NotebookText:
    import nbformat  # noqa: PLC0415

    faults: dict[str, Exception] = {}
    with _anything_means_misshapen():
        text = nbformat.writes(nbformat.from_dict(tree), capture_validation_error=faults)
    text = text if text.endswith("\n") else text + "\n"
    return NotebookText(text.encode(), _told(faults["ValidationError"]) if faults else "")


@contextmanager
def _anything_means_misshapen() -> Iterator[None]:
    """Give one name to what the code for old formats trips over."""
    try:
        yield
    except Exception as error:
        raise ValueError(_cause(error)) from error


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
