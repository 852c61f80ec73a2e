"""Notebooks understood: the rules of nbformat, from bytes to bytes."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from perijove_contents.backends import notebook_json
from perijove_contents.backends.arriving import Arriving
from perijove_contents.backends.plain_notebooks import is_plain
from perijove_contents.model import NotebookText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perijove_contents.backends.leaves import Leaves
    from perijove_contents.backends.notary import Notary

_EXPLAINED_BYTES = 1024 * 1024
"""Largest notebook whose faults are explained well: that takes seconds for larger ones."""

_MAX_MESSAGE = 16 * 1024


class Misshapen(ValueError):
    """What should be a notebook is none; the message says why."""


MISSHAPEN = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What nbformat raises on JSON that is not shaped like a notebook."""


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
    return NotebookText((notebook_json.encode(decoded),), message)


def write_notebook(data: bytes, notary: Notary, *, in_model: bool = False) -> NotebookText:
    """Return a notebook that was sent as it is stored, and sign it if it is trusted.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is none.
    """
    arriving = Arriving()
    arriving.add(data)
    return write_arrived(arriving, notary, in_model=in_model)


def write_arrived(arriving: Arriving, notary: Notary, *, in_model: bool = False) -> NotebookText:
    """Do as `write_notebook` does, where a part may have been done already.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is no notebook.
    """
    if parted := arriving.parted():
        # What is old, invalid or none is worked on, and spoken of, as it came.
        with suppress(*MISSHAPEN):
            rest, leaves = parted
            text = _write_new(_decoded(rest, in_model=in_model), leaves, notary, arriving.size)
            if text:
                return text
    data = arriving.whole()
    decoded = _decoded(data, in_model=in_model)
    return _write_new(decoded, None, notary, len(data)) or _write_old(decoded.tree)


def _decoded(data: bytes, *, in_model: bool) -> notebook_json.Decoded:
    decoded = notebook_json.Decoded(data)
    if in_model:
        decoded.unwrap()
    if "nbformat" not in decoded.tree:
        raise ValueError("it does not say its format")
    return decoded


def _write_new(
    decoded: notebook_json.Decoded, leaves: Leaves | None, notary: Notary, size: int
) -> NotebookText | None:
    """Return a notebook of the present format as it is stored; None for any other.

    None also for an invalid one of which something was taken out.
    """
    tree = decoded.tree
    if notebook_json.major_of(tree) != notebook_json.MAJOR:
        return None
    message = _check(tree, size)
    if message and leaves:
        return None
    trusted = notebook_json.is_trusted_by_sender(tree)
    notebook_json.strip_transient(tree)
    if leaves:
        notebook_json.split_lines(tree, leaves.lines)
        stored = leaves.put_back(notebook_json.encode_for_storage(decoded))
        return NotebookText(stored, "", notary.sign_aside(tree, leaves) if trusted else None)
    # Stored while the notebook is encoded; known to be so before it is.
    wait_until_signed = notary.sign(tree) if trusted else None
    notebook_json.split_lines(tree)
    text = NotebookText((notebook_json.encode_for_storage(decoded),), message)
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
    if is_plain(tree):
        return ""
    validator = get_validator(notebook_json.MAJOR, notebook_json.minor_of(tree))
    try:
        validator.validate(tree)
    except ValidationError as error:
        return _explanation(tree, error) if size <= _EXPLAINED_BYTES else _told(error)
    return ""


def _explanation(tree: dict[str, Any], error: Exception) -> str:
    from nbformat.validator import iter_validate  # noqa: PLC0415

    minor = notebook_json.minor_of(tree)
    # It looks closer than the schema does, and trips over what is of a wrong type there.
    with suppress(TypeError, KeyError, AttributeError):
        errors = iter_validate(tree, version=notebook_json.MAJOR, version_minor=minor)
        return _told(next(iter(errors), error))
    return _told(error)


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
    return NotebookText((text.encode(),), _told(faults["ValidationError"]) if faults else "")


@contextmanager
def _anything_means_misshapen() -> Iterator[None]:
    """Give one name to what the code for old formats trips over."""
    try:
        yield
    except Exception as error:
        raise Misshapen(cause(error)) from error


def cause(error: Exception) -> str:
    """Return what is wrong, in a line."""
    if isinstance(error, Misshapen):
        return str(error)
    return f"{type(error).__name__}: {str(error)[:200]}"
