"""What an extension says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perijove_gateway_http.routing import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from perijove_gateway_http.routing import Route
    from perijove_gateway_http.stubs import Stubs


@dataclass(frozen=True, slots=True)
class Host:
    """The edge, as what an extension does without being asked sees it."""

    services: Stubs
    """The services. Calls are made as the edge itself, for no user."""
    base_url: str
    """Begins and ends with a slash."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What an installed package adds to the edge.

    Its name is that of its entry point.
    """

    routes: tuple[Route, ...] = ()
    """What it answers. Patterns are below the base URL, and begin with one of `prefixes`.
    If a route does not say otherwise, only users get an answer."""
    prefixes: tuple[str, ...] = ()
    """First segments of addresses, which are then its alone; if empty, its name."""
    static: Path | None = None
    """Directory of files that are served below `static/<name>/`."""
    static_guard: Guard = Guard.PAGE
    """Who gets these files."""
    immutable: bool = False
    """Whether the name of a file changes with its content, so that nobody asks for it twice."""
    page_config: Mapping[str, Any] = field(default_factory=dict)
    """What the pages of front ends are told besides. It replaces nothing."""
    run: Callable[[Host], AbstractAsyncContextManager[object]] | None = None
    """What it does for as long as the edge serves. Its routes answer once it is entered."""
