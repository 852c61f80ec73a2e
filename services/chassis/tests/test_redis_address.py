"""URLs of Redis, and what is refused."""

from __future__ import annotations

import pytest
from perijove_chassis.redis_address import Kind, RedisAddress, Tls
from perijove_chassis.settings import SettingsError


def test_a_server_is_a_host_or_a_socket() -> None:
    plain = RedisAddress.parse("redis://db")
    assert (plain.kind, plain.hosts, plain.database) == (Kind.SERVER, (("db", 6379),), 0)
    assert plain.tls is None
    assert RedisAddress.parse("redis://[::1]:7000/3").hosts == (("::1", 7000),)
    assert RedisAddress.parse("redis://[::1]:7000/3").database == 3
    socket = RedisAddress.parse("unix:///run/redis%20a.sock?db=2")
    assert (socket.path, socket.database, socket.hosts) == ("/run/redis a.sock", 2, ())


def test_sentinels_are_several_and_name_a_service() -> None:
    found = RedisAddress.parse(
        "redis+sentinel://me:p%40ss@a:1,b/main/4?sentinel_username=s&sentinel_password=t"
    )
    assert found.kind is Kind.SENTINEL
    assert found.hosts == (("a", 1), ("b", 26379))
    assert (found.service, found.database) == ("main", 4)
    assert (found.login.username, found.login.password.reveal()) == ("me", "p@ss")
    assert found.sentinel_login.username == "s"
    assert found.sentinel_login.password.reveal() == "t"
    assert RedisAddress.parse("redis+sentinel://a/main").service == "main"


def test_a_cluster_is_some_of_its_nodes() -> None:
    found = RedisAddress.parse("rediss+cluster://a:1,b:2")
    assert (found.kind, found.hosts) == (Kind.CLUSTER, (("a", 1), ("b", 2)))
    assert found.tls == Tls()


def test_tls_is_told_in_the_query() -> None:
    url = "rediss://a/0?ssl_ca_certs=/ca&ssl_certfile=/c&ssl_keyfile=/k&ssl_check_hostname=false"
    assert RedisAddress.parse(url).tls == Tls("/ca", "/c", "/k", check_hostname=False)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://secret@a", "begins with none"),
        ("redis+other://secret@a", "begins with none"),
        ("secret", "begins with none"),
        ("unix://", "names no socket"),
        ("redis://:secret@a:port/0", "a port that is none"),
        ("redis://:secret@a:70000", "a port that is none"),
        ("redis://:secret@a,b", "several hosts"),
        ("redis://:secret@a/x", "a database that is no number"),
        ("redis://:secret@a/x/0", "a path that is no number"),
        ("redis+sentinel://:secret@a,b", "names no service"),
        ("redis+cluster://:secret@a/1", "only one"),
        ("redis://:secret@a?ssl_ca_certs=/secret", "do not belong there: ssl_ca_certs"),
        ("rediss://:secret@a?ssl_cert_reqs=none", "do not belong there: ssl_cert_reqs"),
        ("rediss://:secret@a?ssl_keyfile=/secret", "without ssl_certfile"),
        ("rediss://:secret@a?ssl_check_hostname=secret", "neither true nor false"),
    ],
)
def test_what_is_no_address_is_refused_without_its_secrets(url: str, text: str) -> None:
    with pytest.raises(SettingsError, match=text) as caught:
        RedisAddress.parse(url)
    assert "secret" not in str(caught.value)


def test_an_address_does_not_show_its_secrets() -> None:
    url = "redis+sentinel://me:secret@a/main?sentinel_password=secret"
    assert "secret" not in repr(RedisAddress.parse(url))
