"""Every route of the edge, in order of precedence."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    nbconvert,
    notebooks,
    resolving,
    sessions,
    trust,
    view,
)

if TYPE_CHECKING:
    from perijove_gateway_http.routing import Route

ROUTES: tuple[Route, ...] = (
    *api.ROUTES,
    *checkpoints.ROUTES,
    *trust.ROUTES,
    *contents.ROUTES,
    *channels.ROUTES,
    *kernels.ROUTES,
    *kernelspecs.ROUTES,
    *sessions.ROUTES,
    *config.ROUTES,
    *me.ROUTES,
    *resolving.ROUTES,
    *files.ROUTES,
    *view.ROUTES,
    *nbconvert.ROUTES,
    *notebooks.ROUTES,
    *login.ROUTES,
    *events.ROUTES,
    *lab.ROUTES,
)
