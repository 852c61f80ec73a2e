"""Who may do what, as a file says it.

    [users."*"]                 # everybody who is logged in
    contents = ["read"]

    [users.ada]
    "*" = ["*"]

    [groups.teachers]
    contents = ["read", "write"]
    kernels = ["read", "write", "execute"]

    [members]                   # besides the groups that a login brings
    teachers = ["grace"]

Nothing else is allowed. Who has the token or the password is the user `token`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import structlog
from perijove_chassis.permissions import permission

from perijove_gateway_http.identity.resources import PERMISSIONS
from perijove_gateway_http.identity.versions import version_of

if TYPE_CHECKING:
    from perijove_gateway_http.identity.users import Caller

log = structlog.get_logger()

MAX_BYTES = 1024 * 1024
"""Largest policy."""

MAX_KNOWN = 1024
"""Of how many users it is kept what they may do."""

_ANY = "*"

Allowed = dict[str, list[Literal["read", "write", "execute", "*"]]]


class PolicyError(Exception):
    """A policy cannot be used; the text says why."""


class _Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    users: dict[str, Allowed] = {}
    groups: dict[str, Allowed] = {}
    members: dict[str, list[str]] = {}

    def allows(self, caller: Caller, action: str, resource: str) -> bool:
        rows = [self.users.get(_ANY), self.users.get(caller.account)]
        rows += [
            allowed
            for group, allowed in self.groups.items()
            if group in caller.groups or caller.account in self.members.get(group, ())
        ]
        return any(row and _allows(row, action, resource) for row in rows)


class PolicyFile:
    """The policy of a file. When the file changes, so do the answers."""

    def __init__(self, path: str) -> None:
        """Read the policy.

        Raises:
            PolicyError: if it cannot be read, or is none.
        """
        self._path = Path(path)
        try:
            self._version = version_of(self._path)
        except OSError as error:
            raise PolicyError(error.strerror) from None
        self._policy = self._read()
        self._known: dict[tuple[str, tuple[str, ...]], frozenset[str] | None] = {}

    @property
    def generation(self) -> object:
        """Another one after each change."""
        return id(self._policy)

    @property
    def groups(self) -> frozenset[str]:
        """The groups that it names."""
        return frozenset(self._policy.groups)

    async def is_authorized(self, caller: Caller, action: str, resource: str) -> bool:
        """Return whether a row allows it."""
        return self._policy.allows(caller, action, resource)

    def permissions(self, caller: Caller) -> frozenset[str] | None:
        """Return all that the rows allow."""
        who = (caller.account, caller.groups)
        if who not in self._known:
            held = frozenset(
                permission(action, resource)
                for action, resource in PERMISSIONS
                if self._policy.allows(caller, action, resource)
            )
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[who] = held if len(held) < len(PERMISSIONS) else None
        return self._known[who]

    async def refresh(self) -> None:
        """Read it again if it has changed. One that cannot be used changes nothing."""
        try:
            await asyncio.to_thread(self._refresh)
        except (OSError, PolicyError) as error:
            log.error("the policy cannot be used: the one before holds", error=str(error))  # noqa: TRY400 - the story is known

    def _refresh(self) -> None:
        version = version_of(self._path)
        if version != self._version:
            self._version = version
            self._policy, self._known = self._read(), {}

    def _read(self) -> _Policy:
        try:
            with self._path.open("rb") as file:
                return msgspec.toml.decode(file.read(MAX_BYTES), type=_Policy)
        except OSError as error:
            raise PolicyError(error.strerror) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PolicyError(str(error)) from None


def _allows(row: Allowed, action: str, resource: str) -> bool:
    actions = (*row.get(resource, ()), *row.get(_ANY, ()))
    return action in actions or _ANY in actions
