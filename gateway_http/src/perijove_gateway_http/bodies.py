"""What clients send: JSON that is checked before anything is done."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from perijove_gateway_http.problems import Problem

if TYPE_CHECKING:
    from aiohttp import web

T = TypeVar("T")

ON_LOOP_BYTES = 1024 * 1024
"""Largest text that is parsed on the event loop; larger ones go to a thread."""

MAX_FORM_BYTES = 64 * 1024
"""Largest form: forms are read before it is known who asks."""

# What was matched is never given back: a body of blanks would take for ever.
_NOTHING = re.compile(rb"\s*+(null|\{\s*+\})?+\s*+")


async def read_json(request: web.Request, kind: type[T]) -> T | None:
    """Read a body as JSON of a type; None for an empty one, `null` and `{}`.

    Raises:
        Problem: 400 if it is no JSON, or JSON of another shape.
    """
    return await parse_given(await request.read(), kind)


async def parse_given(raw: bytes, kind: type[T]) -> T | None:
    """Parse a body as JSON of a type; None for an empty one, `null` and `{}`.

    Raises:
        Problem: 400 if it is no JSON, or JSON of another shape.
    """
    if _NOTHING.fullmatch(raw):
        return None
    return await parse(raw, kind)


async def read_at_most(request: web.Request, limit: int) -> bytes:
    """Read a body that has no reason to be large.

    Raises:
        Problem: 413 if it has more bytes than the limit; the rest is not read.
    """
    if (request.content_length or 0) > limit:
        raise Problem(413, "the request body is too large")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise Problem(413, "the request body is too large")
    return bytes(body)


def is_form(request: web.Request) -> bool:
    """Whether the body is that of a simple form."""
    return request.content_type == "application/x-www-form-urlencoded"


async def read_form(request: web.Request) -> dict[str, str]:
    """Read the fields of a form.

    Raises:
        Problem: 400 if it is none; 413 if it is larger than any form is, or does not say
            how large it is.
    """
    size = request.content_length
    if request.body_exists and (size is None or size > MAX_FORM_BYTES):
        raise Problem(413, "the form is too large")
    try:
        fields = await request.post()
    except (ValueError, LookupError):
        # A text in no known encoding, or parts without what is between them.
        raise Problem(400, "the form cannot be read") from None
    return {name: value for name, value in fields.items() if isinstance(value, str)}


async def read_object(request: web.Request) -> bytes:
    """Read a body that must be a JSON object and return it as it is.

    Raises:
        Problem: 400 if it is anything else.
    """
    raw = await request.read()
    await parse(raw, dict[str, Any])
    return raw


async def parse(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Parse JSON of a type.

    Raises:
        Problem: 400 if it is no JSON, or JSON of another shape.
    """
    try:
        if len(raw) > ON_LOOP_BYTES:
            # Made here: two threads must not be the first that use a type at the same time.
            return await asyncio.to_thread(msgspec.json.Decoder(kind).decode, raw)
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Problem(400, f"Invalid value in body of request: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(400, "Invalid JSON in body of request") from None
