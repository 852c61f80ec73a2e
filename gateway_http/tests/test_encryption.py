"""https: certificates that change, and clients that must show one."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.settings import SettingsError
from perijove_gateway_http.encryption import Certificate, calling_context

from services.chassis.tests.certificates import CLIENT, Root

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NAME = "notebooks.example"


@asynccontextmanager
async def serving(certificate: Certificate) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certificate.context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def shown(port: int, context: ssl.SSLContext) -> int:
    """Return the serial number of the certificate that a server shows."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=NAME
    )
    found = writer.get_extra_info("peercert")["serialNumber"]
    writer.write(b"x")
    answered = await reader.read()
    writer.close()
    if not answered:
        raise ConnectionError
    return int(found, 16)


async def test_a_renewed_certificate_is_shown_and_a_broken_one_is_not(tmp_path: Path) -> None:
    root = Root(tmp_path)
    certificate, key = root.sign("edge", "edge", names=(NAME,))
    client = ssl.create_default_context(cafile=root.certificate)
    async with serving(Certificate(certificate, key, None)) as port:
        first = await shown(port, client)
        assert await shown(port, client) == first
        new, new_key = root.sign("edge", "new", names=(NAME,))
        shutil.move(new_key, key)
        shutil.move(new, certificate)
        second = await shown(port, client)
        assert second != first
        certificate.write_text("broken")
        assert await shown(port, client) == second
        certificate.unlink()
        assert await shown(port, client) == second


async def test_a_client_without_a_certificate_is_not_let_in_where_one_is_needed(
    tmp_path: Path,
) -> None:
    root = Root(tmp_path)
    certificate, key = root.sign("edge", "edge", names=(NAME,))
    client = ssl.create_default_context(cafile=root.certificate)
    async with serving(Certificate(certificate, key, root.certificate)) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await shown(port, client)
        client.load_cert_chain(*root.sign("ada", "ada", CLIENT))
        assert await shown(port, client)


async def test_a_caller_shows_its_certificate_and_takes_no_other_root(tmp_path: Path) -> None:
    root = Root(tmp_path)
    certificate, key = root.sign("edge", "edge", names=(NAME,))
    shows = tuple(map(str, root.sign("ada", "ada", CLIENT)))
    (tmp_path / "others").mkdir()
    other = Root(tmp_path / "others")
    async with serving(Certificate(certificate, key, root.certificate)) as port:
        assert await shown(port, calling_context(*shows, str(root.certificate)))
        for roots in (str(other.certificate), ""):
            with pytest.raises(ssl.SSLError):
                await shown(port, calling_context(*shows, roots))
    with pytest.raises(SettingsError, match="to call with"):
        calling_context(*shows, str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="to call with"):
        calling_context(shows[0], str(key), str(root.certificate))


def test_what_is_no_certificate_is_refused_without_its_content(tmp_path: Path) -> None:
    certificate, key = Root(tmp_path).sign("edge", "edge")
    wrong = tmp_path / "wrong"
    wrong.write_text("CANARY")
    for paths in (
        (wrong, key, None),
        (certificate, wrong, None),
        (certificate, key, wrong),
        (certificate, None, None),
        (tmp_path / "absent", key, None),
    ):
        with pytest.raises(SettingsError, match="CERTFILE") as caught:
            Certificate(*paths)
        assert "CANARY" not in str(caught.value)
