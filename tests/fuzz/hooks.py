"""Loaded by schemathesis, which runs in an environment of its own."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_context: Any, _case: Any, kwargs: dict[str, Any]) -> None:
    """Look at each answer itself: where a redirect leads is another operation."""
    kwargs["allow_redirects"] = False
