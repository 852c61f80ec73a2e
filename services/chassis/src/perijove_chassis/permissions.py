"""What the user may do for whom a call is made, and what calls ask for.

Whoever knows the user says it when the request comes in. It travels in the signed
credential of each call that is made for that request, and every process looks at it.
A permission is an action on a resource, `kernels:write`; what they are called is agreed
between who gives them and the rows of services.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, TypeVar

from perijove_chassis.users import user

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

READ: Final = "read"
WRITE: Final = "write"
EXECUTE: Final = "execute"
T = TypeVar("T")

ACTIONS: Final = (READ, WRITE, EXECUTE)

permissions: ContextVar[frozenset[str] | None] = ContextVar("permissions", default=None)
"""What the user for whom this task works may do; None if that is not limited."""

NOTHING: Final[frozenset[str]] = frozenset()
"""What somebody may do who is not known."""

FREE: Final = frozenset({"*"})
"""What calls ask for that are for every user."""


def permission(action: str, resource: str) -> str:
    """Return the permission to do something to a resource."""
    return f"{resource}:{action}"


def to(action: str, *resources: str) -> frozenset[str]:
    """Return the permissions to do one thing to any of several resources."""
    return frozenset(permission(action, resource) for resource in resources)


def any_of(*resources: str) -> frozenset[str]:
    """Return the permissions to do whatever to any of several resources."""
    return frozenset(permission(action, one) for one in resources for action in ACTIONS)


def allow(needed: frozenset[str], held: frozenset[str] | None) -> bool:
    """Return whether who holds some permissions may make a call that needs one of others."""
    return held is None or needed is FREE or not needed.isdisjoint(held)


@contextmanager
def for_nobody() -> Iterator[None]:
    """Make calls for the process itself, though a user's request is the occasion."""
    before = user.set(""), permissions.set(None)
    try:
        yield
    finally:
        user.reset(before[0])
        permissions.reset(before[1])


def asked_by_nobody(ask: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """Return a question that the process puts for itself, for all who want the answer."""

    async def asked() -> T:
        with for_nobody():
            return await ask()

    return asked
