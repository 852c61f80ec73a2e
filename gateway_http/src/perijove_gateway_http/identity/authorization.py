"""Who may do what: the port, and what holds unless a policy is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from perijove_gateway_http.identity.users import Caller


class Authorizer(Protocol):
    """Says who may do what, asked for each request of somebody who is logged in."""

    @property
    def generation(self) -> object:
        """What changes when the answers do: then open WebSockets are checked again."""

    @property
    def groups(self) -> AbstractSet[str]:
        """Groups that the answers depend on."""

    async def is_authorized(self, caller: Caller, action: str, resource: str) -> bool:
        """Return whether somebody may do something.

        Args:
            caller: Who asks.
            action: `read`, `write` or `execute`.
            resource: What it is done to, for example `contents`.
        """

    def permissions(self, caller: Caller) -> frozenset[str] | None:
        """Return what somebody may do of `resources.PERMISSIONS`; None for all there is.

        It is told to the services with each call that is made for them.
        """

    async def refresh(self) -> None:
        """Look whether the answers have changed."""


class Everything:
    """Lets everybody who is logged in do everything, as Jupyter Server does."""

    generation = 0
    groups: frozenset[str] = frozenset()

    async def is_authorized(self, caller: Caller, action: str, resource: str) -> bool:
        """Return that it may be done."""
        del caller, action, resource
        return True

    def permissions(self, caller: Caller) -> None:
        """Return that nothing is limited."""
        del caller

    async def refresh(self) -> None:
        """Do nothing: it never changes."""
