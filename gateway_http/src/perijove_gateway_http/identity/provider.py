"""Whoever vouches for users: the port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from aiohttp import web

    from perijove_gateway_http.identity.flow import Pending
    from perijove_gateway_http.identity.users import Caller


class Provider(Protocol):
    """Another site where people log in, to be known here by its word."""

    @property
    def name(self) -> str:
        """What people call it."""

    async def after_logout(self, request: web.Request, hint: str) -> str:
        """Return where a browser goes after it was logged out here; empty if nowhere.

        Args:
            request: Who asks to be logged out.
            hint: What came with the login to be shown at its end; empty if it is not known.
        """

    async def address(self, request: web.Request, pending: Pending) -> str:
        """Return where to send a browser to log in.

        Raises:
            Problem: 503 if it cannot be reached.
        """

    async def finish(
        self, request: web.Request, pending: Pending, groups: AbstractSet[str]
    ) -> Caller:
        """Return who has logged in, from the code that a browser comes back with.

        Args:
            request: What the browser comes back with.
            pending: What was known when it was sent.
            groups: Groups that matter here; the others are forgotten.

        Raises:
            Problem: 403 if nobody has, or somebody who may not come in; 503 if it
                cannot be reached.
        """

    async def of_token(self, token: str) -> Caller | None:
        """Return whose a token is, if it is one that was given there for use here.

        Raises:
            Problem: 503 if it cannot be reached.
        """

    async def confirm(self, caller: Caller) -> Caller | None:
        """Return who a login cookie names, if that still holds there.

        Raises:
            Problem: 503 if it cannot be reached.
        """

    def page_config(self, caller: Caller) -> Mapping[str, str]:
        """Return what front ends are told of it."""

    async def close(self) -> None:
        """Close the connections to it."""
