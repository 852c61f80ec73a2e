"""Bundles of MIME types, as kernels give them in JSON, made into what they stand for."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove_runner.execution.model import MimeBundle, MimeData

if TYPE_CHECKING:
    from collections.abc import Mapping

_JSON: Final = re.compile(r"application/json|.+\+json")
_BINARY: Final = re.compile(
    r"(image|audio|video|font)/.+|application/(pdf|octet-stream|zip|gzip)", re.IGNORECASE
)
_TEXT: Final = re.compile(r".+\+xml", re.IGNORECASE)


def bundle(data: object, metadata: object) -> MimeBundle:
    """Return a bundle. What is no bundle becomes an empty one."""
    kept = _object(metadata)
    return MimeBundle(
        tuple(_data(mime_type, value) for mime_type, value in _object(data).items()),
        json_text(kept) if kept else "",
    )


def json_text(value: object) -> str:
    """Return a value as JSON text."""
    return msgspec.json.encode(value).decode()


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _data(mime_type: str, value: object) -> MimeData:
    # Some kernels split text into lines, as notebooks do.
    if isinstance(value, list) and not _JSON.fullmatch(mime_type) and _is_text(value):
        value = "".join(value)
    if not isinstance(value, str) or _JSON.fullmatch(mime_type):
        return MimeData(mime_type, json_text(value), is_json=True)
    if _BINARY.fullmatch(mime_type) and not _TEXT.fullmatch(mime_type):
        try:
            # Encoders break lines; whatever else is no base64 was meant as text.
            return MimeData(mime_type, base64.b64decode("".join(value.split()), validate=True))
        except (binascii.Error, ValueError):
            pass
    return MimeData(mime_type, value)


def _is_text(value: list[object]) -> bool:
    return bool(value) and all(isinstance(line, str) for line in value)
