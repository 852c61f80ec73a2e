"""What notebooks become, in a real worker, and what they cannot do there."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from perijove_chassis.errors import FailedPrecondition, InvalidArgument
from perijove_contents.backends.threads import Threads
from perijove_contents.conversion.backends.confinement import landlock_version
from perijove_contents.conversion.backends.messages import Convert, Failed
from perijove_contents.conversion.model import Output, stem_of

from services.contents.tests.conversions import MIB, PICTURE, made, notebook, pool_of, surround

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perijove_contents.conversion.backends.pool import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_PROGRAMS = "/nowhere"
CONNECTIONS_SINCE = 4
"""First version of Landlock that keeps a process from connecting."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkerPool]:
    """Keep one worker for all of these tests."""
    threads = Threads(4, "test")
    place = tmp_path_factory.mktemp("conversions")
    with pytest.MonkeyPatch.context() as monkeypatch:
        surround(monkeypatch, place)
        monkeypatch.setenv("PATH", NO_PROGRAMS)
        async with pool_of(place, threads) as pool:
            yield pool
    threads.close()


async def test_notebooks_become_what_nbconvert_makes_of_them(pool: WorkerPool) -> None:
    exporters = {found.name: found.mime_type for found in await pool.exporters()}
    assert exporters["html"] == "text/html"
    assert exporters["script"] == ""
    assert "odd_broken" not in exporters
    assert list(exporters) == sorted(exporters)

    output, page = await made(pool, "html", update_time_ns=0)
    assert output == Output("text/html", "moons.html", is_archive=False, size_bytes=len(page))
    assert b"<title>moons</title>" in page
    assert b"Moons" in page
    assert b"1.769" in page

    output, script = await made(pool, "python")
    assert (output.mime_type, output.file_name) == ("text/x-python", "moons.py")
    assert b"orbit = 1.769" in script


async def test_several_files_become_an_archive(pool: WorkerPool) -> None:
    output, data = await made(pool, "markdown", notebook(outputs=[PICTURE]), stem="é moons")
    assert (output.mime_type, output.file_name) == ("application/zip", "é moons.zip")
    assert output.is_archive
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert set(archive.namelist()) == {"é moons.md", "output_1_0.png"}
        assert archive.read("output_1_0.png").startswith(b"\x89PNG")


async def test_html_is_sanitized_if_asked_for(pool: WorkerPool) -> None:
    evil = [{**PICTURE, "data": {"text/html": "<script>steal()</script>"}}]
    _, page = await made(pool, "html", notebook(outputs=evil))
    assert b"<script>steal()" in page
    _, page = await made(pool, "html", notebook(outputs=evil), sanitize_html=True)
    assert b"<script>steal()" not in page


async def test_an_old_notebook_is_upgraded(pool: WorkerPool) -> None:
    cell = {
        "cell_type": "code",
        "input": "x = 3",
        "outputs": [],
        "language": "python",
        "metadata": {},
    }
    old = {"worksheets": [{"cells": [cell]}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    _, script = await made(pool, "python", json.dumps(old).encode())
    assert b"x = 3" in script


async def test_what_is_no_notebook_is_refused(pool: WorkerPool) -> None:
    for text in (b" ", b"{", b"[]", b"5", b"{}", b"\xff", b"[" * 100_000):
        with pytest.raises(InvalidArgument) as caught:
            await made(pool, "html", text)
        assert caught.value.reason == "UNREADABLE_NOTEBOOK"


async def test_a_missing_program_is_named(pool: WorkerPool) -> None:
    with pytest.raises(FailedPrecondition, match="pandoc is not installed") as caught:
        await made(pool, "latex")
    assert caught.value.reason == "CONVERSION_FAILED"


@pytest.mark.skipif(
    landlock_version() < CONNECTIONS_SINCE, reason="the kernel has no such Landlock"
)
async def test_a_worker_reads_writes_and_reaches_nothing_it_does_not_need(
    pool: WorkerPool, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("CANARY")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for exporter, odd in (
            ("odd_read", str(secret)),
            ("odd_read", "/etc/passwd"),
            ("odd_read", f"/proc/{os.getpid()}/environ"),
            ("odd_write", str(tmp_path / "new.txt")),
            ("odd_write", str(Path.cwd() / "new.txt")),
            ("odd_dial", listening.getsockname()[1]),
        ):
            with pytest.raises(FailedPrecondition, match="PermissionError") as caught:
                await made(pool, exporter, notebook(odd))
            assert not re.search(r"/\w+/", str(caught.value)), "it names a place"
    assert not (tmp_path / "new.txt").exists()
    assert not Path("new.txt").exists()
    _, page = await made(pool, "html", notebook().replace(b"# Moons", b"![](%b)" % bytes(secret)))
    assert b"Q0FOQVJZ" not in page


async def test_a_worker_is_told_no_secret(pool: WorkerPool) -> None:
    _, told = await made(pool, "odd_environment")
    assert b"CANARY" not in told
    assert json.loads(told)["PATH"] == NO_PROGRAMS


async def test_programs_that_do_as_they_are_told_are_confined_or_not_run() -> None:
    from perijove_contents.conversion.backends.exporting import Exporting

    language = {"nbconvert_exporter": "webpdf"}
    for name, is_confined, why in (
        ("pdf", False, "cannot confine"),
        ("webpdf", True, "browser"),
        ("qtpdf", True, "browser"),
        ("qtpng", False, "browser"),
        ("script", True, "browser"),
    ):
        exporting = Exporting(config_dir="", max_output_bytes=MIB, is_confined=is_confined)
        job = Convert(name, "moons", "", sanitize_html=False)
        with open(os.devnull, "wb", buffering=0) as nowhere:
            given = io.BytesIO(notebook(language_info=language))
            failed = exporting.convert(job, given, nowhere)
        assert isinstance(failed, Failed)
        assert why in failed.message


async def test_a_notebook_cannot_name_code_to_call(pool: WorkerPool) -> None:
    for name in ("odd_exporters.Pid", "subprocess.Popen", 5):
        language = {"name": "x", "file_extension": ".x", "nbconvert_exporter": name}
        output, script = await made(pool, "script", notebook(language_info=language))
        assert output.file_name == "moons.x"
        assert b"orbit = 1.769" in script
    language = {"name": "python", "nbconvert_exporter": "python"}
    output, _ = await made(pool, "script", notebook(language_info=language))
    assert output.file_name == "moons.py"


async def test_a_notebook_cannot_write_headers(pool: WorkerPool) -> None:
    for said in (["text/html\r\nX: y", ".html"], ["a/b/c", ".."], ["", ".a/../../b"], ["x", ""]):
        output, _ = await made(pool, "odd_say", notebook(said))
        assert output.mime_type == "text/plain"
        assert output.file_name in ("moons.txt", "moons.html")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.ipynb", "a"),
        ("a.b.ipynb", "a.b"),
        ("no ending", "no ending"),
        ("", "notebook"),
        (".ipynb", "ipynb"),
        ("../../etc/x.ipynb", "_.._etc_x"),
        ("a\r\nb.ipynb", "a__b"),
        ("é" * 300 + ".ipynb", "é" * 96),
        ("\ud800.ipynb", "?"),
    ],
)
async def test_the_name_of_a_notebook_is_fit_for_files(name: str, stem: str) -> None:
    assert stem_of(name) == stem
