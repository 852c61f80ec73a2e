"""Tokens to join with, as people pass them on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perijove_chassis.errors import InvalidArgument
from perijove_chassis.join_token import JoinToken, fingerprint_of, parse_credential

TOKEN = JoinToken.new(fingerprint_of(b"certificate"))


def test_a_token_is_read_as_it_was_written() -> None:
    found = JoinToken.parse(f" {TOKEN.text()}\n")
    assert found.text() == TOKEN.text()
    assert found.fingerprint == fingerprint_of(b"certificate")


def test_a_token_does_not_show_its_secret() -> None:
    assert TOKEN.secret.reveal() not in repr(TOKEN)


def test_its_credential_names_it_and_its_secret() -> None:
    assert parse_credential(TOKEN.credential()) == (TOKEN.token_id, TOKEN.secret_digest())


@given(st.text(max_size=200))
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        JoinToken.parse(text)
    assert str(caught.value) == "this is not a whole token to join with"


@pytest.mark.parametrize("cut", [1, 10, 40, 70])
def test_a_part_of_a_token_is_refused(cut: int) -> None:
    with pytest.raises(InvalidArgument):
        JoinToken.parse(TOKEN.text()[:-cut])


@given(st.text(max_size=100))
def test_any_other_credential_is_none_of_a_token(text: str) -> None:
    assert parse_credential(text) is None
    assert parse_credential(f"Join {text}") is None
