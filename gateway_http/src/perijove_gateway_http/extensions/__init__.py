"""What installed packages add to the edge: `docs/extensions.md` is about them.

Everything that an extension may use is named here; the rest of the edge may change.
"""

from perijove_chassis.permissions import for_nobody

from perijove_gateway_http.extensions.asking import caller, params, publish, services, websocket
from perijove_gateway_http.extensions.registration import Extension, Host
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import html_response, json_response, location, redirect
from perijove_gateway_http.routing import Guard, Route

__all__ = [
    "Extension",
    "Guard",
    "Host",
    "Problem",
    "Route",
    "caller",
    "for_nobody",
    "html_response",
    "json_response",
    "location",
    "params",
    "publish",
    "redirect",
    "services",
    "websocket",
]
