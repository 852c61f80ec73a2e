"""For whom a call is made: a service that calls another passes the user on.

Who calls is told by the credential, `server.principal`. A service calls for
others, and says for whom; from other callers that does not count, since they
call for themselves.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from perijove_chassis.credentials import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_chassis.credentials import Principal

USER_KEY = "perijove-user"
"""Metadata that has the user's name, percent-encoded."""

user: ContextVar[str] = ContextVar("user", default="")
"""Name of the user for whom this task works; empty if it is for nobody in particular."""

_MOST_CHARACTERS = 256


def metadata() -> tuple[tuple[str, str], ...]:
    """Return the metadata that passes the user of this task on."""
    name = user.get()
    return ((USER_KEY, quote(name)),) if name else ()


def user_of(caller: Principal, given: Mapping[str, str | bytes]) -> str:
    """Return for whom a call is made; empty if for nobody in particular.

    Args:
        caller: Who calls.
        given: The metadata of the call.
    """
    if caller.kind is PrincipalKind.USER:
        return caller.name
    if caller.kind is PrincipalKind.SERVICE:
        return unquote(str(given.get(USER_KEY, "")))[:_MOST_CHARACTERS]
    return ""
