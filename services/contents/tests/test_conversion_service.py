"""`ConversionService`, through the socket of the process."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import grpc
import psutil
import pytest
import pytest_asyncio
from perijove.contents.v1 import conversion_pb2 as pb
from perijove.contents.v1 import conversion_pb2_grpc
from perijove_chassis import errors, status
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import Issuer, derive_key
from perijove_chassis.settings import Secret

from services.contents.tests.conversions import MIB, PLUGINS, notebook, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    Stub = conversion_pb2_grpc.ConversionServiceAsyncStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = Secret("k" * 32)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    (root / "d").mkdir()
    (root / "d" / "é.ipynb").write_bytes(notebook())
    (root / ".hidden.ipynb").write_bytes(notebook())
    (root / "broken.ipynb").write_text("{")
    (root / "a.txt").write_text("abc")
    (root / "hang.ipynb").write_bytes(notebook())
    (root / "large.ipynb").write_bytes(notebook(3 * MIB + 5))
    os.utime(root / "d" / "é.ipynb", (1_700_000_000, 1_700_000_000))
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[psutil.Process, str]]:
    home = tmp_path_factory.mktemp("home")
    listen = f"unix:{home}/c.sock"
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "perijove_contents"),
        env={
            "PATH": "/nowhere",
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(PLUGINS),
            "PERIJOVE_CONTENTS_LISTEN": listen,
            "PERIJOVE_CONTENTS_SERVICE_KEY": KEY.reveal(),
            "PERIJOVE_CONTENTS_ROOT": str(root),
            "PERIJOVE_CONTENTS_MAX_CONTENT_BYTES": str(4 * MIB),
            "PERIJOVE_CONTENTS_CONVERSION_OUTPUT_BYTES": str(4 * MIB),
            "PERIJOVE_CONTENTS_LOG_LEVEL": "warning",
        },
    )
    yield psutil.Process(running.pid), listen
    running.terminate()
    assert await running.wait() == 0
    assert list(home.glob("perijove-conversion-*")) == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub(process: tuple[psutil.Process, str]) -> AsyncIterator[Stub]:
    issuer = Issuer(derive_key(KEY, "contents"), "gateway_http", "contents")
    channel = Channel(process[1], issuer, Deadlines(default_s=60))
    yield conversion_pb2_grpc.ConversionServiceStub(channel)  # type: ignore[misc]
    await channel.close()


async def convert(stub: Stub, exporter: str, path: str, **more: Any) -> list[Any]:
    request = pb.ConvertNotebookRequest(exporter=exporter, path=path, **more)
    return [found async for found in stub.ConvertNotebook(request)]


def sent(*chunks: bytes, **header: str) -> Iterator[pb.ConvertContentRequest]:
    first = pb.ConvertContentHeader(**header) if header else None
    yield pb.ConvertContentRequest(header=first, chunk=chunks[0] if chunks else b"")
    for chunk in chunks[1:]:
        yield pb.ConvertContentRequest(chunk=chunk)


async def test_exporters_are_listed(stub: Stub) -> None:
    reply = await stub.ListExporters(pb.ListExportersRequest())
    found = {exporter.name: exporter.output_mime_type for exporter in reply.exporters}
    assert found["html"] == "text/html"
    assert found["latex"] == "text/latex"
    assert list(found) == sorted(found)


async def test_a_notebook_of_the_tree_is_converted(stub: Stub) -> None:
    (message,) = await convert(stub, "python", "d/é.ipynb")
    assert message.header.mime_type == "text/x-python"
    assert message.header.file_name == "é.py"
    assert message.header.size_bytes == len(message.chunk)
    assert message.header.update_time.seconds == 1_700_000_000
    assert not message.header.is_archive
    assert b"orbit = 1.769" in message.chunk


async def test_a_large_output_comes_in_chunks(stub: Stub) -> None:
    found = await convert(stub, "odd_large", "large.ipynb")
    assert [message.HasField("header") for message in found] == [True, False, False, False]
    assert b"".join(message.chunk for message in found) == b"x" * (3 * MIB + 5)


async def test_an_empty_output_is_one_message(stub: Stub) -> None:
    chunks = (notebook(["text/plain", ".x"]),)
    calls = stub.ConvertContent(sent(*chunks, exporter="odd_say"))
    (message,) = [found async for found in calls]
    assert (message.header.file_name, message.chunk) == ("notebook.x", b"")


async def test_a_notebook_that_is_sent_is_converted(stub: Stub) -> None:
    data = notebook()
    call = stub.ConvertContent(
        sent(data[:7], data[7:50], b"", data[50:], exporter="html", name="moons of x.ipynb")
    )
    (message,) = [found async for found in call]
    assert message.header.file_name == "moons of x.html"
    assert not message.header.HasField("update_time")
    assert b"<title>moons of x</title>" in message.chunk


@pytest.mark.parametrize(
    ("exporter", "path", "error", "reason"),
    [
        ("nope", "d/é.ipynb", errors.NotFound, "NO_SUCH_EXPORTER"),
        ("odd_broken", "d/é.ipynb", errors.NotFound, "NO_SUCH_EXPORTER"),
        ("", "d/é.ipynb", errors.InvalidArgument, ""),
        ("os.abort", "d/é.ipynb", errors.InvalidArgument, ""),
        ("html", "absent.ipynb", errors.NotFound, "NO_SUCH_ENTRY"),
        ("html", ".hidden.ipynb", errors.NotFound, "NO_SUCH_ENTRY"),
        ("html", "../x.ipynb", errors.InvalidArgument, "BAD_PATH"),
        ("html", "a.txt", errors.InvalidArgument, "BAD_TYPE"),
        ("html", "d", errors.InvalidArgument, "BAD_TYPE"),
        ("html", "", errors.InvalidArgument, "BAD_TYPE"),
        ("html", "broken.ipynb", errors.InvalidArgument, "UNREADABLE_NOTEBOOK"),
        ("latex", "d/é.ipynb", errors.FailedPrecondition, "CONVERSION_FAILED"),
        ("odd_crash", "d/é.ipynb", errors.FailedPrecondition, "CONVERSION_FAILED"),
    ],
)
async def test_what_cannot_be_converted_is_refused(
    stub: Stub, exporter: str, path: str, error: type[errors.DomainError], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await convert(stub, exporter, path)
    meaning = status.error_of(caught.value)
    assert (type(meaning), meaning.reason) == (error, reason), caught.value.details()


@pytest.mark.parametrize(
    ("requests", "error", "reason"),
    [
        (sent(b"{}"), errors.InvalidArgument, ""),
        (iter(()), errors.InvalidArgument, ""),
        (sent(exporter="html"), errors.InvalidArgument, "UNREADABLE_NOTEBOOK"),
        (sent(b"[]", exporter="html"), errors.InvalidArgument, "UNREADABLE_NOTEBOOK"),
        (
            sent(*[b" " * MIB] * 5, exporter="html"),
            errors.ResourceExhausted,
            "LIMIT_EXCEEDED",
        ),
        (sent(b" " * (MIB + 1), exporter="html"), errors.ResourceExhausted, "LIMIT_EXCEEDED"),
        (
            sent(notebook(5 * MIB), exporter="odd_large"),
            errors.ResourceExhausted,
            "LIMIT_EXCEEDED",
        ),
        (
            iter([*sent(b"{", exporter="html"), *sent(b"}", exporter="html")]),
            errors.InvalidArgument,
            "",
        ),
    ],
)
async def test_what_is_sent_wrongly_is_refused(
    stub: Stub, requests: Any, error: type[errors.DomainError], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in stub.ConvertContent(requests):
            pass
    meaning = status.error_of(caught.value)
    assert (type(meaning), meaning.reason) == (error, reason), caught.value.details()


async def test_a_client_that_goes_away_ends_its_conversion(
    stub: Stub, process: tuple[psutil.Process, str]
) -> None:
    def sleeping() -> list[psutil.Process]:
        below = process[0].children(recursive=True)
        return [child for child in below if child.name() == "sleep"]

    request = pb.ConvertNotebookRequest(exporter="odd_hang", path="hang.ipynb")
    call = stub.ConvertNotebook(request)
    reading = asyncio.ensure_future(anext(aiter(call)))
    await until(sleeping)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await until(lambda: not process[0].children(recursive=True))
    (message,) = await convert(stub, "python", "d/é.ipynb")
    assert b"orbit" in message.chunk
