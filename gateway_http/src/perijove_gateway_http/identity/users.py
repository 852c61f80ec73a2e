"""Users, as `api/me` shows them and as everything else knows them."""

from __future__ import annotations

import random

import msgspec
from perijove_chassis.credentials import SHARED_USER

_MOONS = (
    *("Metis", "Adrastea", "Amalthea", "Thebe", "Io", "Europa", "Ganymede", "Callisto"),
    *("Themisto", "Leda", "Himalia", "Ersa", "Pandia", "Elara", "Lysithea", "Dia", "Carpo"),
    *("Valetudo", "Euporie", "Thyone", "Ananke", "Kore", "Pasiphae", "Sinope", "Carme"),
)


class User(msgspec.Struct, frozen=True):
    """The identity that `api/me` shows."""

    username: str
    name: str
    display_name: str
    initials: str
    avatar_url: str | None = None
    color: str | None = None

    @classmethod
    def anonymous(cls) -> User:
        """Make up a user who has a good credential and no name."""
        moon = random.choice(_MOONS)  # noqa: S311 - it is no secret, only unlike others
        name = f"Anonymous {moon}"
        return cls(f"{random.getrandbits(128):032x}", name, name, f"A{moon[0]}")

    @classmethod
    def named(cls, username: str, name: str = "", avatar_url: str | None = None) -> User:
        """Make a user whom somebody else knows by name."""
        shown = name or username
        initials = "".join(word[0] for word in shown.split()[:2]).upper()
        return cls(username, shown, shown, initials, avatar_url)


class Login(msgspec.Struct, frozen=True, array_like=True):
    """What a login cookie says."""

    expires: float
    """When it ends, in seconds since the epoch."""
    user: User
    account: str = SHARED_USER
    """The name under which the services know the user: whose kernels are whose."""
    groups: tuple[str, ...] = ()
    """Groups of the user that matter here."""
    proof: str = ""
    """What the site that vouches for the user wants to see again; empty if nothing."""


class Caller(msgspec.Struct, frozen=True):
    """Who asks, and how that is known."""

    user: User
    by_token: bool
    """Whether the request itself carries the token. No foreign page can have it sent."""
    is_new: bool
    """Whether the answer is to set the login cookie."""
    account: str = SHARED_USER
    """The name under which the services know the user.

    Names that people are given here are made up anew for whoever asks: the one
    thing known of these is that they have the token, or the password.
    """
    groups: tuple[str, ...] = ()
    """Groups of the user that matter here."""
    expires: float = 0.0
    """When the cookie ends that said so, in seconds since the epoch; 0 if none did."""
    key: bytes = b""
    """What that cookie was signed with."""
    proof: str = ""
    """What the site that vouches for the user wants to see again; empty if nothing."""

    hint: str = ""
    """What that site wants to see at the end of the login, with the answer that begins it;
    empty if nothing."""

    def __repr__(self) -> str:
        """Return it without its secrets."""
        return f"Caller(account={self.account!r}, user={self.user!r})"

    @property
    def is_named(self) -> bool:
        """Whether somebody else vouches for the name."""
        return self.account != SHARED_USER
