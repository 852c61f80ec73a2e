"""What the tests of conversions share."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from perijove_contents.content import whole
from perijove_contents.conversion.backends.pool import Limits, WorkerPool
from perijove_contents.conversion.model import Output, Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import pytest
    from perijove_contents.backends.threads import Threads

MODULE = "perijove_contents.conversion.backends.worker"
PLUGINS = Path(__file__).parent / "plugins"
MIB = 1024 * 1024
PICTURE = {
    "output_type": "display_data",
    "metadata": {},
    "data": {"image/png": "iVBORw0KGgo=", "text/plain": "a picture"},
}


def notebook(odd: Any = None, *, outputs: list[Any] | None = None, **metadata: Any) -> bytes:
    cells = [
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Moons"},
        {
            "cell_type": "code",
            "id": "c",
            "execution_count": 1,
            "metadata": {},
            "outputs": outputs or [],
            "source": "orbit = 1.769",
        },
    ]
    metadata["odd"] = odd
    return json.dumps(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.02)


def workers() -> list[psutil.Process]:
    """Return the workers, and what they have started."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # or it is a zombie
            if MODULE in child.cmdline():
                found += [child, *child.children(recursive=True)]
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def surround(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Show workers the odd exporters, and secrets; have temporary files in a place."""
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    monkeypatch.setenv("PERIJOVE_CONTENTS_SERVICE_KEY", "CANARY")
    monkeypatch.setenv("JUPYTER_TOKEN", "CANARY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY")
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)


@asynccontextmanager
async def pool_of(place: Path, threads: Threads, **limits: Any) -> AsyncIterator[WorkerPool]:
    async with WorkerPool(threads, str(place / "config"), Limits(**limits)) as pool:
        yield pool
    assert workers() == []
    assert list(place.glob("perijove-conversion-*")) == []


async def made(
    pool: WorkerPool, exporter: str, data: bytes | None = None, **task: Any
) -> tuple[Output, bytes]:
    asked = Task(exporter, task.pop("stem", "moons"), **task)
    async with await pool.convert(asked, whole(data or notebook())) as converted:
        return converted.output, b"".join([chunk async for chunk in converted.chunks()])


async def pid_of(pool: WorkerPool) -> int:
    return int((await made(pool, "odd_pid"))[1])
