"""For whom a call is made: a service that calls another passes the user on.

Who calls is told by the credential, `server.principal`. A service calls for
others, and says for whom in what it signs; other callers call for themselves,
and a runner for nobody.
"""

from __future__ import annotations

from contextvars import ContextVar

user: ContextVar[str] = ContextVar("user", default="")
"""Name of the user for whom this task works; empty if it is for nobody in particular."""

MOST_CHARACTERS = 256
"""Longest name of a user."""
