"""JSON5: JSON as people write it, with comments and trailing commas."""

from __future__ import annotations

from typing import Any

import json5
import msgspec

MAX_JSON5_BYTES = 256 * 1024
"""Largest text that is parsed as JSON5, which takes a second. Plain JSON may be larger."""


class Json5Error(ValueError):
    """A text is no JSON5; the message says where it goes wrong."""


def loads(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse a text.

    Raises:
        Json5Error: if it is not JSON5, nested too deeply or too long.
    """
    try:
        # Most are plain JSON, and that takes a thousandth of the time.
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > MAX_JSON5_BYTES:
        raise Json5Error(f"the text is longer than {MAX_JSON5_BYTES} bytes")
    try:
        return json5.loads(text)
    except RecursionError:
        raise Json5Error("the text is nested too deeply") from None
    except ValueError as error:
        raise Json5Error(str(error)) from None
