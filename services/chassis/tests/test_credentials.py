"""Credentials: what is checked once is remembered only as long as it holds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import pytest
from perijove_chassis.credentials import Issuer, Principal, PrincipalKind, Verifier, derive_key
from perijove_chassis.errors import Unauthenticated
from perijove_chassis.settings import Secret

KEY = Secret("k" * 32)
EDGE = Principal(PrincipalKind.SERVICE, "edge")


def verifier() -> Verifier:
    return Verifier("contents", service_key=KEY, api_token=Secret(""))


def credential(expires: float) -> str:
    key = derive_key(KEY, "contents")
    claims = {"issuer": "edge", "audience": "contents", "expires": expires}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode())
    return f"Perijove {payload.decode()}.{hmac.new(key, payload, hashlib.sha256).hexdigest()}"


def test_a_credential_that_was_accepted_is_accepted_again() -> None:
    checks = verifier()
    presented = Issuer(derive_key(KEY, "contents"), "edge", "contents").credential()
    assert [checks.verify(presented) for _ in range(3)] == [EDGE] * 3


def test_a_credential_that_was_accepted_is_refused_once_it_has_expired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks, now = verifier(), time.time()
    presented = credential(now + 60)
    assert checks.verify(presented) == EDGE
    monkeypatch.setattr(time, "time", lambda: now + 61)
    with pytest.raises(Unauthenticated):
        checks.verify(presented)


def test_another_signature_is_refused_after_the_right_one_was_accepted() -> None:
    checks = verifier()
    presented = credential(time.time() + 60)
    assert checks.verify(presented) == EDGE
    forged = presented[:-1] + ("0" if presented[-1] != "0" else "1")
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            checks.verify(forged)


def test_many_credentials_do_not_push_out_the_right_to_call() -> None:
    checks, now = verifier(), time.time()
    many = [credential(now + 60 + number) for number in range(600)]
    assert {checks.verify(presented) for presented in many + many[:10]} == {EDGE}


def test_the_user_for_whom_a_service_calls_is_signed() -> None:
    checks = verifier()
    issuer = Issuer(derive_key(KEY, "contents"), "edge", "contents")
    for user in ("ada", "Zoë O'Brien/ß", ""):
        presented = issuer.credential(user)
        assert checks.verify(presented).user == user
        assert issuer.credential(user) == presented
    for may in (None, frozenset(), frozenset({"contents:read", "kernels:write"})):
        presented = issuer.credential("ada", may)
        assert checks.verify(presented).permissions == may
        assert issuer.credential("ada", may) == presented
    limited = issuer.credential("ada", frozenset())
    head, _, signature = limited.removeprefix("Perijove ").partition(".")
    for more in ({"user": "grace"}, {"permissions": None}, {"permissions": ["contents:read"]}):
        claims = json.loads(base64.urlsafe_b64decode(head)) | more
        forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
        with pytest.raises(Unauthenticated):
            checks.verify(f"Perijove {forged}.{signature}")


def test_what_is_signed_for_many_users_is_kept_within_a_limit() -> None:
    issuer = Issuer(derive_key(KEY, "contents"), "edge", "contents")
    for number in range(3000):
        issuer.credential(f"user {number}")
    assert len(issuer._signed) <= 1024
