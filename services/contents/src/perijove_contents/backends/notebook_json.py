"""Notebooks as plain values: decoded, checked, joined, split, encoded.

This does for nbformat 4 what nbformat does, to the same bytes, without its
node objects: several times faster. Everything older goes to nbformat itself.
All of it may take long and none of it waits.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAJOR = 4
"""The nbformat that front ends speak."""

_IDS_SINCE_MINOR = 5
_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-4, 1e16
_BUNDLE_OUTPUTS = ("execute_result", "display_data")
_SPLIT_MIMES = ("application/javascript", "image/svg+xml")
_TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")


class Decoded:
    """A decoded JSON text."""

    def __init__(self, data: bytes) -> None:
        """Decode.

        Raises:
            ValueError: if it is no JSON.
        """
        self.has_odd_floats = False
        """Whether a float is written differently by msgspec than by Python."""
        self.is_odd = False
        """Whether Python takes it for JSON and nobody else does."""
        try:
            self.tree: Any = msgspec.json.Decoder(float_hook=self._float).decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # NaN, for one: notebooks with it exist, and must be readable.
            self.tree = json.loads(data)
            self.is_odd = True

    def unwrap(self) -> None:
        """Turn a contents model into the notebook it holds.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: if it holds none.
        """
        model = self.tree
        if model.get("type") not in (None, "notebook"):
            raise ValueError("the model is not that of a notebook")
        self.tree = model["content"]
        if not isinstance(self.tree, dict):
            raise TypeError("the content of a notebook must be an object")

    def _float(self, text: str) -> float:
        value = float(text)
        if value and not _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
            if value in (float("inf"), float("-inf")):
                raise msgspec.DecodeError("out of range")
            self.has_odd_floats = True
        return value


def major_of(tree: Any) -> int:  # noqa: ANN401 - JSON
    """Return the major version of the format a notebook says to have."""
    major = tree.get("nbformat", 1)
    return major if isinstance(major, int) else -1


def minor_of(tree: dict[str, Any]) -> int:
    """Return the minor version of the format a notebook says to have."""
    return int(tree.get("nbformat_minor", 0))


def complete_ids(tree: dict[str, Any], new_id: Callable[[], str]) -> None:
    """Give each cell an id of its own, if the format has ids."""
    if minor_of(tree) < _IDS_SINCE_MINOR:
        return
    seen = set()
    for cell in tree["cells"]:
        if "id" not in cell or cell["id"] in seen:
            cell["id"] = new_id()
        seen.add(cell["id"])


def join_lines(tree: dict[str, Any]) -> None:
    """Turn lists of lines into texts."""
    for cell in tree["cells"]:
        if isinstance(cell.get("source"), list):
            cell["source"] = "".join(cell["source"])
        for attachment in cell.get("attachments", {}).values():
            _join_bundle(attachment)
        for output in _outputs(cell):
            kind = output.get("output_type", "")
            if kind in _BUNDLE_OUTPUTS:
                _join_bundle(output.get("data", {}))
            elif kind and isinstance(output.get("text"), list):
                output["text"] = "".join(output["text"])


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, with their ends."""
    return text.splitlines(keepends=True)


def split_lines(tree: dict[str, Any], lines_of: Callable[[str], list[str]] = lines_of) -> None:
    """Turn texts into lists of lines, which versions are easier compared by."""
    for cell in tree["cells"]:
        if isinstance(cell.get("source"), str):
            cell["source"] = lines_of(cell["source"])
        for attachment in cell.get("attachments", {}).values():
            _split_bundle(attachment, lines_of)
        if cell["cell_type"] != "code":
            continue
        for output in cell["outputs"]:
            kind = output["output_type"]
            if kind in _BUNDLE_OUTPUTS:
                _split_bundle(output.get("data", {}), lines_of)
            elif kind == "stream" and isinstance(output["text"], str):
                output["text"] = lines_of(output["text"])


def strip_transient(tree: dict[str, Any]) -> None:
    """Remove what holds for one session only, and is never stored."""
    for key in _TRANSIENT:
        tree["metadata"].pop(key, None)
    for cell in tree["cells"]:
        cell["metadata"].pop("trusted", None)


def is_trusted_by_sender(tree: dict[str, Any]) -> bool:
    """Return whether each code cell is marked as trusted, or has nothing to mistrust."""
    return all(
        cell["metadata"].get("trusted", False) or not _has_rich_output(cell)
        for cell in _code_cells(tree)
    )


def mark_trusted(tree: dict[str, Any], *, trusted: bool) -> None:
    """Mark each code cell."""
    for cell in _code_cells(tree):
        cell["metadata"]["trusted"] = trusted


def encode(decoded: Decoded) -> bytes:
    """Return a notebook as compact JSON."""
    if not decoded.is_odd:
        return msgspec.json.encode(decoded.tree)
    text = json.dumps(_without_nan(decoded.tree), separators=(",", ":"))
    return text.encode()


def encode_for_storage(decoded: Decoded) -> bytes:
    """Return a notebook as nbformat writes it: indented, with sorted keys.

    Raises:
        UnicodeEncodeError: if a text is not Unicode.
    """
    if decoded.is_odd:
        text = json.dumps(
            decoded.tree, ensure_ascii=False, indent=1, sort_keys=True, separators=(",", ": ")
        )
        return text.encode() + b"\n"
    tree = _with_python_floats(decoded.tree) if decoded.has_odd_floats else decoded.tree
    return msgspec.json.format(msgspec.json.encode(tree, order="sorted"), indent=1) + b"\n"


def _code_cells(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (cell for cell in tree["cells"] if cell["cell_type"] == "code")


def _outputs(cell: dict[str, Any]) -> list[dict[str, Any]]:
    return cell.get("outputs", []) if cell.get("cell_type") == "code" else []


def _has_rich_output(cell: dict[str, Any]) -> bool:
    safe = {"output_type", "execution_count", "metadata"}
    return any(
        output["output_type"] in _BUNDLE_OUTPUTS and not safe.issuperset(output)
        for output in cell["outputs"]
    )


def _is_json_mime(mime: str) -> bool:
    return mime == "application/json" or (
        mime.startswith("application/") and mime.endswith("+json")
    )


def _join_bundle(bundle: dict[str, Any]) -> None:
    for mime, value in bundle.items():
        if (
            isinstance(value, list)
            and not _is_json_mime(mime)
            and all(isinstance(line, str) for line in value)
        ):
            bundle[mime] = "".join(value)


def _split_bundle(bundle: dict[str, Any], lines_of: Callable[[str], list[str]]) -> None:
    for mime, value in bundle.items():
        if isinstance(value, str) and (mime.startswith("text/") or mime in _SPLIT_MIMES):
            bundle[mime] = lines_of(value)


def _with_python_floats(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _with_python_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_python_floats(item) for item in value]
    if isinstance(value, float):
        return msgspec.Raw(repr(value).encode())
    return value


def _without_nan(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
        return None
    return value
