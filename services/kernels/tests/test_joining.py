"""Who may join, as whom, and for how long."""

import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from perijove_chassis.credentials import PrincipalKind, derive_key, runner_name
from perijove_chassis.errors import InvalidArgument, PermissionDenied, Unauthenticated
from perijove_chassis.join_token import JoinToken
from perijove_chassis.settings import Secret
from perijove_chassis.tls import name_of
from perijove_kernels.joining.backends.authority import CertificateAuthority, make_root
from perijove_kernels.joining.backends.files import PoolFiles
from perijove_kernels.joining.backends.outcasts import FileOutcasts
from perijove_kernels.joining.backends.tokens import FileTokens
from perijove_kernels.joining.commands import create_token, initialise, run
from perijove_kernels.joining.manager import JoiningManager
from perijove_kernels.joining.model import Applicant, Holder
from perijove_kernels.joining.verifier import JoiningVerifier

KEY = Secret("k" * 64)
DAYS = timedelta(days=1)


@dataclass
class Pool:
    files: PoolFiles
    tokens: FileTokens
    manager: JoiningManager
    authority: CertificateAuthority

    def token(self, *, hours: float = 1, uses: int = 1) -> JoinToken:
        return JoinToken.parse(create_token(self.files, self.tokens, hours, uses))

    def admits(self, authorization: str) -> str:
        found = JoiningVerifier(self.tokens, KEY).verify(authorization)
        assert found.kind is PrincipalKind.JOINER
        return found.name


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    files = PoolFiles(tmp_path / "pool")
    initialise(files)
    authority = CertificateAuthority.load(
        files.root.read_bytes(), files.root_key.read_bytes(), DAYS
    )
    tokens = FileTokens(files.tokens)
    return Pool(
        files,
        tokens,
        JoiningManager(tokens, FileOutcasts(files.outcasts), authority, KEY),
        authority,
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def request(name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = builder.sign(key or new_key(), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


async def test_who_has_a_token_is_given_its_own_certificate_and_key_and_no_more(
    pool: Pool,
) -> None:
    token = pool.token()
    token_id = pool.admits(token.credential())
    member = await pool.manager.join(token_id, request("gpu1"))
    assert member.runner_id.startswith("gpu1-")
    assert member.key == derive_key(KEY, runner_name(member.runner_id))
    certificate = x509.load_pem_x509_certificate(member.certificate)
    certificate.verify_directly_issued_by(pool.authority.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [name_of(runner_name(member.runner_id))]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not basic.ca


async def test_a_runner_cannot_ask_for_the_id_of_another(pool: Pool) -> None:
    """What a request says is a name alone: the id is made of the key."""
    token = pool.token(uses=3)
    victim = await pool.manager.join(token.token_id, request("gpu1"))
    same_name = await pool.manager.join(token.token_id, request("gpu1"))
    as_id = await pool.manager.join(token.token_id, request(victim.runner_id))
    assert len({victim.runner_id, same_name.runner_id, as_id.runner_id}) == 3
    assert len({victim.key, same_name.key, as_id.key}) == 3


async def test_a_token_is_used_once(pool: Pool) -> None:
    token = pool.token()
    await pool.manager.join(token.token_id, request("a"))
    with pytest.raises(Unauthenticated, match="has been used"):
        await pool.manager.join(token.token_id, request("a"))


async def test_who_missed_the_answer_may_ask_again(pool: Pool) -> None:
    token, key = pool.token(), new_key()
    first = await pool.manager.join(token.token_id, request("a", key))
    again = await pool.manager.join(token.token_id, request("a", key))
    assert (first.runner_id, first.key) == (again.runner_id, again.key)


async def test_a_token_for_several_takes_so_many(pool: Pool) -> None:
    token = pool.token(uses=2)
    for _ in range(2):
        await pool.manager.join(token.token_id, request("a"))
    with pytest.raises(Unauthenticated):
        await pool.manager.join(token.token_id, request("a"))


async def test_a_token_that_has_expired_is_refused(pool: Pool) -> None:
    token = pool.token(hours=0)
    with pytest.raises(Unauthenticated):
        pool.admits(token.credential())
    with pytest.raises(Unauthenticated):
        await pool.manager.join(token.token_id, request("a"))
    assert pool.tokens.all() == []


async def test_a_token_that_was_revoked_is_refused(
    pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    token = pool.token()
    assert run(["list-tokens", str(pool.files.directory)]) == 0
    assert capsys.readouterr().out.startswith(f"{token.token_id}  until ")
    assert run(["revoke-token", str(pool.files.directory), token.token_id]) == 0
    with pytest.raises(Unauthenticated):
        pool.admits(token.credential())
    assert run(["revoke-token", str(pool.files.directory), token.token_id]) == 1


def test_a_wrong_secret_is_refused(pool: Pool) -> None:
    token, other = pool.token(), pool.token()
    wrong = JoinToken(token.token_id, other.secret, token.fingerprint)
    with pytest.raises(Unauthenticated):
        pool.admits(wrong.credential())


def test_secrets_are_not_kept(pool: Pool) -> None:
    token = pool.token()
    kept = [path.read_text() for path in pool.files.tokens.iterdir()]
    assert not any(token.secret.reveal() in text for text in kept)


def test_everything_is_private(pool: Pool) -> None:
    pool.token()
    paths = [pool.files.directory, *pool.files.directory.rglob("*")]
    assert [path for path in paths if path.stat().st_mode & 0o077] == []


def test_the_fingerprint_is_of_the_authority(pool: Pool) -> None:
    from perijove_chassis.join_token import fingerprint_of

    der = ssl.PEM_cert_to_DER_cert(pool.files.root.read_text())
    assert pool.token().fingerprint == fingerprint_of(der)


def test_the_authority_and_the_key_of_services_are_made_once(pool: Pool) -> None:
    before = [pool.files.root.read_bytes(), pool.files.service_key.read_bytes()]
    initialise(pool.files)
    assert [pool.files.root.read_bytes(), pool.files.service_key.read_bytes()] == before


@given(st.binary(max_size=300))
def test_garbage_is_no_request(garbage: bytes) -> None:
    authority = CertificateAuthority.load(*make_root(), DAYS)
    with pytest.raises(InvalidArgument):
        authority.applicant(garbage)


def test_a_request_that_was_tampered_with_is_refused(pool: Pool) -> None:
    made = request("gpu1")
    assert pool.authority.applicant(made).name == "gpu1"
    with pytest.raises(InvalidArgument, match="does not hold"):
        pool.authority.applicant(made.replace(b"gpu1", b"gpu2"))


def test_a_key_of_another_kind_is_refused(pool: Pool) -> None:
    with pytest.raises(InvalidArgument):
        pool.authority.applicant(request("a", rsa.generate_private_key(65537, 2048)))
    with pytest.raises(InvalidArgument):
        pool.authority.applicant(request("a", ec.generate_private_key(ec.SECP384R1())))


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../a", "a" * 41, "a.b", "é", "a\n"])
def test_a_name_that_cannot_be_part_of_an_id_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument):
        Applicant(name, b"key").runner_id()


async def test_a_certificate_is_renewed_for_the_same_key(pool: Pool) -> None:
    key = new_key()
    member = await pool.manager.join(pool.token().token_id, request("a", key))
    renewed = await pool.manager.renew(member.runner_id, member.certificate)
    before, after = (
        x509.load_pem_x509_certificate(pem) for pem in (member.certificate, renewed.certificate)
    )
    assert renewed.renew_after_s == DAYS.total_seconds() / 2
    assert before.serial_number != after.serial_number
    assert before.public_key() == after.public_key() == key.public_key()
    assert before.subject == after.subject


async def test_the_certificate_of_another_is_not_renewed(pool: Pool) -> None:
    token = pool.token(uses=2)
    one = await pool.manager.join(token.token_id, request("a"))
    other = await pool.manager.join(token.token_id, request("a"))
    with pytest.raises(PermissionDenied):
        await pool.manager.renew(one.runner_id, other.certificate)


async def test_a_certificate_that_has_expired_is_not_renewed(pool: Pool) -> None:
    passed = -timedelta(minutes=1)
    short = CertificateAuthority(pool.authority.certificate, pool.authority.key, passed)
    manager = JoiningManager(pool.tokens, FileOutcasts(pool.files.outcasts), short, KEY)
    member = await manager.join(pool.token().token_id, request("a"))
    with pytest.raises(Unauthenticated):
        await manager.renew(member.runner_id, member.certificate)


async def test_a_certificate_of_others_is_not_renewed(pool: Pool) -> None:
    stranger = CertificateAuthority.load(*make_root(), DAYS)
    public = (
        new_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    forged = stranger.certify(Holder("a", public))
    services = pool.files.certificate("services").read_bytes()
    for certificate in (forged, services, b"", b"garbage"):
        with pytest.raises(Unauthenticated):
            await pool.manager.renew("a", certificate)


async def test_a_runner_that_was_cast_out_neither_renews_nor_joins_again(pool: Pool) -> None:
    key, token = new_key(), pool.token()
    member = await pool.manager.join(token.token_id, request("a", key))
    assert run(["cast-out", str(pool.files.directory), member.runner_id]) == 0
    with pytest.raises(PermissionDenied, match="cast out"):
        await pool.manager.renew(member.runner_id, member.certificate)
    with pytest.raises(PermissionDenied, match="cast out"):
        await pool.manager.join(token.token_id, request("a", key))
    await pool.manager.join(pool.token().token_id, request("a"))


def test_what_cannot_be_a_runner_is_not_cast_out(pool: Pool) -> None:
    for runner_id in ("../a", "", "a/b"):
        with pytest.raises(InvalidArgument):
            run(["cast-out", str(pool.files.directory), runner_id])
