"""What each route is about, in the words of Jupyter's authorizers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from perijove_chassis.permissions import ACTIONS, EXECUTE, READ, WRITE

from perijove_gateway_http.routing import Guard

if TYPE_CHECKING:
    from perijove_gateway_http.routing import Route

ANY_USER = ""
"""In place of a resource: whoever is logged in may."""

_READS = ("GET", "HEAD", "OPTIONS")
_RESOURCES = (
    ("api/contents", "contents"),
    ("files", "contents"),
    ("view", "contents"),
    ("api/kernels", "kernels"),
    ("api/kernelspecs", "kernelspecs"),
    ("kernelspecs", "kernelspecs"),
    ("api/sessions", "sessions"),
    ("api/terminals", "terminals"),
    ("terminals/websocket", "terminals"),
    ("api/config", "config"),
    ("api/events", "events"),
    ("api/nbconvert", "nbconvert"),
    ("nbconvert", "nbconvert"),
    ("api/security/csp-report", "csp"),
    ("api/shutdown", "server"),
    ("api/me", ANY_USER),
    ("api", "api"),
    *(
        (page, ANY_USER)
        for page in ("lab", "doc", "tree", "notebooks", "edit", "consoles", "terminals", "custom")
    ),
    ("lsp", ANY_USER),
)
"""By the beginnings of patterns; the first one counts."""

PERMISSIONS = tuple(
    (action, resource)
    for resource in sorted({resource for _, resource in _RESOURCES if resource})
    for action in ACTIONS
)
"""All that services may ask for. What extensions are about is for the edge alone to know."""


def action_of(route: Route) -> str:
    """Return what a route does to its resource."""
    if route.guard is Guard.WEBSOCKET:
        return EXECUTE
    return READ if route.method in _READS else WRITE


def resource_of(route: Route) -> str:
    """Return what a route is about.

    One that is in no row is about what its first segment names: extensions have
    prefixes of their own, and are denied to whom nobody has allowed them.
    """
    return _resource(route.pattern, action_of(route))


@lru_cache(maxsize=1024)
def _resource(pattern: str, action: str) -> str:
    if action != READ and pattern.startswith("lab/api/"):
        # Anybody may have the front end, but what it keeps is kept for all.
        return "config"
    for beginning, resource in _RESOURCES:
        if pattern == beginning or pattern.startswith(beginning + "/"):
            return resource
    # Whoever may ask an extension may have its files: they are below its name.
    return pattern.removeprefix("static/").partition("/")[0]
