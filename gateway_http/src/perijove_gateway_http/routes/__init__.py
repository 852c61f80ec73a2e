"""Every route of the edge, in order of precedence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_gateway_http.extensions.loading import load
from perijove_gateway_http.lab import apps
from perijove_gateway_http.routes import (
    api,
    channels,
    checkpoints,
    config,
    contents,
    events,
    files,
    kernels,
    kernelspecs,
    lab,
    login,
    me,
    metrics,
    nbconvert,
    notebook_pages,
    notebooks,
    oauth,
    resolving,
    sessions,
    spec,
    terminals,
    trust,
    view,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_gateway_http.extensions.loading import Extensions
    from perijove_gateway_http.routing import Route
    from perijove_gateway_http.settings import Settings

ROUTES: tuple[Route, ...] = (
    *api.ROUTES,
    *metrics.ROUTES,
    *spec.ROUTES,
    *checkpoints.ROUTES,
    *trust.ROUTES,
    *contents.ROUTES,
    *channels.ROUTES,
    *kernels.ROUTES,
    *kernelspecs.ROUTES,
    *sessions.ROUTES,
    *terminals.ROUTES,
    *config.ROUTES,
    *me.ROUTES,
    *resolving.ROUTES,
    *files.ROUTES,
    *view.ROUTES,
    *nbconvert.ROUTES,
    *notebooks.ROUTES,
    *login.ROUTES,
    *oauth.ROUTES,
    *events.ROUTES,
    *lab.ROUTES,
)


def extensions_for(settings: Settings) -> Extensions:
    """Return what installed packages add to these routes."""
    notebook = apps.notebook()
    own = [("notebook", notebook_pages.extension(notebook))] if notebook else []
    off = {name for part in settings.extensions_off.split(",") if (name := part.strip())}
    return load(ROUTES, own, off=off)


def routes_for(settings: Settings) -> Sequence[Route]:
    """Return the routes that are to be served."""
    if settings.terminals:
        return ROUTES
    return [route for route in ROUTES if route not in terminals.ROUTES]
