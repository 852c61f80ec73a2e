"""Finds out who answers at an address, before anything is told to them."""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final

from perijove_chassis.errors import Unauthenticated, Unavailable
from perijove_chassis.join_token import fingerprint_of

_CONNECT_S: Final = 10.0
_FIRST_WITH_CHAINS: Final = "get_unverified_chain"


def root_at(target: str, fingerprint: str) -> str:
    """Return the root certificate that is shown at an address, in PEM.

    It is only looked at: whether those who show it may do so, the next connection checks.

    Args:
        target: Host and port.
        fingerprint: Of the certificate that must be it.

    Raises:
        Unavailable: if nobody answers there.
        Unauthenticated: if another certificate is shown.
    """
    host, _, port = target.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        address = (host.strip("[]"), int(port))
        with (
            socket.create_connection(address, _CONNECT_S) as plain,
            context.wrap_socket(plain) as connection,
        ):
            shown = _chain(connection)
    except (OSError, ValueError, OverflowError) as error:
        raise Unavailable(f"nobody answers at {target} as expected: {error}") from error
    for certificate in shown:
        if fingerprint_of(certificate) == fingerprint:
            return ssl.DER_cert_to_PEM_cert(certificate)
    raise Unauthenticated(
        f"who answers at {target} is not the deployment that the token is for: nothing was sent"
    )


def _chain(connection: ssl.SSLSocket) -> list[bytes]:
    """Return all certificates that are shown, in DER."""
    # Public from Python 3.13 on; there, and in the same place, before that.
    if public := getattr(connection, _FIRST_WITH_CHAINS, None):
        return list(public())
    within: Any = connection._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    return [
        ssl.PEM_cert_to_DER_cert(certificate.public_bytes())
        for certificate in within.get_unverified_chain()
    ]
