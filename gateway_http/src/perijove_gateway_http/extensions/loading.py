"""Finds the installed extensions. One that cannot be used costs itself, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any

import structlog

from perijove_gateway_http.extensions.claims import CannotBeLoaded, Claims, static_pattern
from perijove_gateway_http.extensions.registration import Extension
from perijove_gateway_http.extensions.running import Runs
from perijove_gateway_http.files import IMMUTABLE, REVALIDATE, file_response
from perijove_gateway_http.keys import PARAMS
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from aiohttp import web

    from perijove_gateway_http.routing import Handler

log = structlog.get_logger()

GROUP = "perijove.extensions"
"""An entry point of this group is what makes an `Extension`, without arguments."""

_PUBLIC = (Guard.PUBLIC, Guard.PUBLIC_API)


@dataclass(frozen=True, slots=True)
class Extensions:
    """All that are in use, put together."""

    names: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    """What they answer, in order of precedence."""
    page_config: dict[str, Any] = field(default_factory=dict)
    """What pages are told by them."""
    runs: Runs = field(default_factory=lambda: Runs({}))
    """What they do without being asked."""


def load(
    edge: Sequence[Route],
    own: Iterable[tuple[str, Extension]] = (),
    *,
    off: Collection[str] = (),
    group: str = GROUP,
) -> Extensions:
    """Load all extensions, those that come with the edge first.

    Args:
        edge: The routes of the edge itself.
        own: Extensions that come with it, by name.
        off: Names of those that are not wanted.
        group: Where others are looked for.
    """
    claims = Claims(edge)
    found: dict[str, Extension] = {}
    points = sorted(metadata.entry_points(group=group), key=lambda point: (point.name, point.value))
    offered: list[tuple[str, Callable[[], Extension]]] = [
        *((name, lambda extension=extension: extension) for name, extension in own),
        *((point.name, lambda point=point: point.load()()) for point in points),
    ]
    for name, make in offered:
        if name in off:
            log.info("extension switched off", extension=name)
            continue
        try:
            extension = _made(name, make, claims)
        except CannotBeLoaded as error:
            log.error("extension left out", extension=name, cause=str(error))  # noqa: TRY400
            continue
        # It is code of others: even one that ends the process at import must not.
        except (Exception, SystemExit) as error:
            log.exception("extension left out", extension=name, cause=repr(error))
            continue
        found[name] = extension
    return _together(found, claims)


def _made(name: str, make: Callable[[], object], claims: Claims) -> Extension:
    extension = make()
    if not isinstance(extension, Extension):
        raise CannotBeLoaded("it gave no Extension")
    claims.take(name, extension)
    return extension


def _together(found: dict[str, Extension], claims: Claims) -> Extensions:
    runs = Runs({name: one.run for name, one in found.items() if one.run})
    routes = tuple(
        route for name, extension in found.items() for route in _routes(name, extension, runs)
    )
    for name in found:
        log.info("extension loaded", extension=name)
    for route in routes:
        if route.guard in _PUBLIC:
            log.info("an extension answers everybody", method=route.method, route=route.pattern)
    page_config = {"nbclassic_enabled": claims.has("nbclassic"), **_page_config(found)}
    return Extensions(tuple(found), routes, page_config, runs)


def _routes(name: str, extension: Extension, runs: Runs) -> Iterator[Route]:
    for route in extension.routes:
        yield replace(route, handler=runs.once_running(name, route.handler))
    if extension.static:
        serve = _serve(extension.static, IMMUTABLE if extension.immutable else REVALIDATE)
        for method in ("GET", "HEAD"):
            yield Route(method, static_pattern(name), serve, extension.static_guard)


def _serve(directory: Path, cache: str) -> Handler:
    async def get_file(request: web.Request) -> web.StreamResponse:
        return await file_response([directory], request[PARAMS]["path"], cache)

    return get_file


def _page_config(found: dict[str, Extension]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name, extension in found.items():
        for key, value in extension.page_config.items():
            if key in merged:
                log.error("page config left out", extension=name, key=key, cause="taken")
            else:
                merged[key] = value
    return merged
