"""The ways to Redis that every store is tested on."""

from __future__ import annotations

import re
import ssl
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from services.chassis.tests.certificates import CLIENT, Root
from services.chassis.tests.redis_proxy import RedisProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

TWICE = "redis that is sent everything twice"
AS_USER = "redis as the user of the service alone"
TLS = "redis by TLS"
SENTINELS = "redis by sentinels"
CLUSTER = "redis cluster"
KINDS = ("redis", TWICE, AS_USER, TLS, SENTINELS, CLUSTER)

_SERVICES = Path(__file__).parents[2]


@asynccontextmanager
async def redis_url_of(kind: str, request: pytest.FixtureRequest, user: str) -> AsyncIterator[str]:
    """Prepare one way to an empty Redis, and return the URL.

    Args:
        kind: One of `KINDS`.
        request: Of the fixture.
        user: Service whose README says what its user may do.
    """
    if kind in (SENTINELS, CLUSTER):
        found = request.getfixturevalue("sentinel_set" if kind == SENTINELS else "redis_cluster")
        found.flush()
        yield found.url
        return
    url: str = request.getfixturevalue("redis_url")
    folder: Path = request.getfixturevalue("tmp_path")
    if kind in (TWICE, TLS):
        proxy = RedisProxy(url.removeprefix("unix://"), folder, breaks=float(kind == TWICE))
        await (proxy.start() if kind == TWICE else _start_by_tls(proxy, folder))
        yield proxy.url
        await proxy.close()
        return
    if kind == AS_USER:
        with closing(redis.Redis.from_url(url)) as client:
            client.execute_command("ACL", "SETUSER", *documented_user(user))
        url = url.replace("unix://", f"unix://perijove-{user}:PASSWORD@")
    yield url


def documented_user(service: str) -> list[str]:
    """Return the user that a service's README tells to make."""
    text = (_SERVICES / service / "README.md").read_text().replace("\\\n", " ")
    found = re.search(r"^ACL SETUSER (.*)$", text, re.MULTILINE)
    assert found, "the README does not say"
    return found[1].replace("'", "").split()


async def _start_by_tls(proxy: RedisProxy, folder: Path) -> None:
    """Have a proxy show a certificate, and want one."""
    root = Root(folder)
    certificate, key = root.sign("redis", "redis", names=("localhost",))
    mine, my_key = root.sign("client", "client", CLIENT)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=root.certificate)
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    await proxy.start(context)
    files = f"ssl_certfile={mine}&ssl_keyfile={my_key}"
    proxy.url = f"{proxy.url}/0?ssl_ca_certs={root.certificate}&{files}"
