"""Whose an address is: no two have the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perijove_gateway_http.routing import Route, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_gateway_http.extensions.registration import Extension

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.~-]{0,63}", re.ASCII)

_SHARED = frozenset({"terminals"})
"""Where the edge has but WebSockets, and a front end may have its pages."""

EDGE = "the edge itself"


def static_pattern(name: str) -> str:
    """Return where the files of an extension are."""
    return f"static/{name}/{{path*}}"


class CannotBeLoaded(Exception):
    """An extension is left out; the message says why."""


class Claims:
    """Who has which first segments of addresses. Whoever comes first has them."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Begin with the routes of the edge itself."""
        self._patterns = {route.pattern for route in routes}
        self._names: set[str] = set()
        heads = {route.pattern.partition("/")[0] for route in routes} - _SHARED
        self._owners = dict.fromkeys(heads, EDGE)

    def take(self, name: str, extension: Extension) -> None:
        """Note what an extension wants, all or nothing.

        Raises:
            CannotBeLoaded: if something of it cannot be its own.
        """
        if name in self._names:
            raise CannotBeLoaded("there is another one of its name")
        prefixes = extension.prefixes or (name,)
        for prefix in (name, *prefixes):
            if not _NAME.fullmatch(prefix):
                raise CannotBeLoaded(f"{prefix!r} is no name, nor a segment of an address")
        for prefix in prefixes:
            if owner := self._owners.get(prefix):
                raise CannotBeLoaded(f"/{prefix} belongs to {owner}")
        for route in extension.routes:
            if not isinstance(route, Route):
                raise CannotBeLoaded(f"{route!r} is no Route")
            head = route.pattern.partition("/")[0]
            if head not in prefixes:
                raise CannotBeLoaded(f"/{route.pattern} begins with none of its prefixes")
        self._compile(name, extension.routes)
        self._owners.update(dict.fromkeys(prefixes, name))
        self._names.add(name)

    def has(self, prefix: str) -> bool:
        """Whether somebody answers at a first segment."""
        return prefix in self._owners

    def _compile(self, name: str, routes: Sequence[Route]) -> None:
        """Check that all have a place in one table, beside the edge's own."""
        for pattern in (static_pattern(name), *(route.pattern for route in routes)):
            if pattern in self._patterns:
                raise CannotBeLoaded(f"/{pattern} belongs to {EDGE}")
        try:
            Table("/", routes)
        except (ValueError, re.error) as error:
            raise CannotBeLoaded(str(error)) from None
