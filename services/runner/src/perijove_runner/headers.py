"""What the relay reads of a message, without parsing its JSON.

A key in quotes that is followed by a colon can only be a key: inside a JSON
string the quotes would be escaped. A value with an escape in it is left to a
real parser.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_MSG_ID: Final = re.compile(rb'"msg_id"\s*:\s*"([^"\\]*)"')
_MSG_TYPE: Final = re.compile(rb'"msg_type"\s*:\s*"([^"\\]*)"')
_SESSION: Final = re.compile(rb'"session"\s*:\s*"([^"\\]*)"')
_EXECUTION_STATE: Final = re.compile(rb'"execution_state"\s*:\s*"([^"\\]*)"')


def msg_id(header: bytes) -> str:
    """Return the id in a header or parent header; empty if there is none."""
    return _text(_MSG_ID, header, "msg_id")


def msg_type(header: bytes) -> str:
    """Return the message type in a header or parent header; empty if there is none."""
    return _text(_MSG_TYPE, header, "msg_type")


def session(header: bytes) -> str:
    """Return the sender's session in a header or parent header; empty if there is none."""
    return _text(_SESSION, header, "session")


def execution_state(content: bytes) -> str:
    """Return the state in the content of a `status` message; empty if there is none."""
    return _text(_EXECUTION_STATE, content, "execution_state")


def _text(pattern: re.Pattern[bytes], raw: bytes, key: str) -> str:
    if found := pattern.search(raw):
        return found[1].decode(errors="replace")
    if key.encode() not in raw:
        return ""
    try:
        parsed = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    value = parsed.get(key) if isinstance(parsed, dict) else None
    return value if isinstance(value, str) else ""
