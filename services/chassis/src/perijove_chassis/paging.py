"""Lists in pages: by the key of the last item, so that changes in between do no harm."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from perijove_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

MOST_ITEMS = 1000
"""Most items of one page, and as many as there are if no number is asked for."""


def page(items: Iterable[T], key: Callable[[T], str], size: int, token: str) -> tuple[list[T], str]:
    """Return the items of one page in order of their keys, and the token of the next.

    Args:
        items: All items; no two have the same key.
        key: What the items are ordered by.
        size: Most items to return; zero for as many as allowed.
        token: Token that the previous page came with; empty for the first page.

    Raises:
        InvalidArgument: if the size is negative, or the token is none of ours.
    """
    if size < 0:
        raise InvalidArgument("page_size is negative")
    after = _decode(token)
    limit = min(size or MOST_ITEMS, MOST_ITEMS)
    rest = sorted((item for item in items if not token or key(item) > after), key=key)
    shown = rest[:limit]
    more = len(rest) > limit
    return shown, base64.urlsafe_b64encode(key(shown[-1]).encode()).decode() if more else ""


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise InvalidArgument("page_token is not one that was given out") from error
