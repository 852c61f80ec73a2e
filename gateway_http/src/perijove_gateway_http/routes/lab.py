"""Everything below `lab`, and what front ends share, in the order in which it is matched."""

from __future__ import annotations

from perijove_gateway_http.routes import lab_api, lab_pages, lab_settings, lab_workspaces, static

ROUTES = (
    *static.ROUTES,
    *lab_settings.ROUTES,
    *lab_workspaces.ROUTES,
    *lab_api.ROUTES,
    *lab_pages.ROUTES,
    *lab_pages.FALLBACK_ROUTES,
)
