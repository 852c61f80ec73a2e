"""Puts together who is let in, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_chassis.settings import SettingsError, load

from perijove_gateway_http.auth import Authenticator
from perijove_gateway_http.identity import hub as jupyterhub
from perijove_gateway_http.identity.authorization import Everything
from perijove_gateway_http.identity.flow import Flow
from perijove_gateway_http.identity.hub import Hub
from perijove_gateway_http.identity.oidc import Oidc
from perijove_gateway_http.identity.outside import Outside
from perijove_gateway_http.identity.password_file import PasswordFile
from perijove_gateway_http.identity.passwords import Passwords
from perijove_gateway_http.identity.policy import PolicyError, PolicyFile
from perijove_gateway_http.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_gateway_http.identity.authorization import Authorizer
    from perijove_gateway_http.identity.provider import Provider
    from perijove_gateway_http.settings import Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """What the settings and the environment make of it."""

    auth: Authenticator
    authorizer: Authorizer
    flow: Flow
    hub: Hub | None
    """The hub whose server this is, if any."""

    @classmethod
    def assemble(cls, settings: Settings, environ: Mapping[str, str]) -> Identity:
        """Make it.

        Raises:
            SettingsError: if a file that is named, or what a hub tells, cannot be used.
        """
        hub = None
        provider: Provider | None = None
        if settings.hub:
            told = load(jupyterhub.HubSettings, jupyterhub.PREFIX, environ)
            provider = hub = Hub(told, told.outside())
        elif settings.oidc_issuer:
            provider = Oidc(settings, Outside())
        auth = Authenticator(settings, _passwords(settings), provider)
        flow = Flow(settings.service_key.reveal().encode(), auth.cookies)
        return cls(auth, _authorizer(settings), flow, hub)


def _passwords(settings: Settings) -> Passwords:
    file = PasswordFile(settings.password_file, settings.password_fallback_file)
    try:
        return Passwords(file, may_change=settings.allow_password_change)
    except OSError as error:
        raise SettingsError(f"{PREFIX}PASSWORD_FILE: {error.strerror}") from None


def _authorizer(settings: Settings) -> Authorizer:
    if not settings.policy_file:
        return Everything()
    try:
        return PolicyFile(settings.policy_file)
    except PolicyError as error:
        raise SettingsError(f"{PREFIX}POLICY_FILE: {error}") from None
