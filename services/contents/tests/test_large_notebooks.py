"""Large notebooks are worked on by a process of their own, to the same result."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from perijove_chassis.errors import InvalidArgument, Unavailable
from perijove_contents.backends import codec as codec_module
from perijove_contents.backends.codec import LARGE_BYTES, NbformatCodec
from perijove_contents.backends.notary import Notary
from perijove_contents.backends.notebook_process import NotebookProcess
from perijove_contents.backends.notebook_worker import WORK, Job
from perijove_contents.backends.notebooks import Misshapen
from perijove_contents.model import EntryPath

PATH = EntryPath(("a.ipynb",))
CELL: dict[str, Any] = {
    "cell_type": "code",
    "id": "a",
    "source": "x\ny",
    "metadata": {},
    "execution_count": 1,
    "outputs": [{"output_type": "stream", "name": "stdout", "text": "line é\n" * 1000}],
}


def notebook(**changes: object) -> bytes:
    tree = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | changes
    return json.dumps(tree).encode()


def children() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children()
        if "notebook_worker" in " ".join(process.cmdline())
    ]


@pytest.mark.parametrize(
    ("job", "data"),
    [
        (Job.WRITE, notebook()),
        (Job.WRITE_FROM_MODEL, b'{"content":' + notebook() + b"}"),
        (Job.READ, notebook()),
        (Job.READ, notebook(cells=[{**CELL, "id": 3}])),
        (Job.TRUST, notebook()),
    ],
)
def test_it_does_what_is_done_here(
    job: Job, data: bytes, notebook_process: NotebookProcess, notary: Notary
) -> None:
    there, here = notebook_process.run(job, data), WORK[job](data, notary)
    assert (there.data, there.validation_message) == (here.data, here.validation_message)


@pytest.mark.parametrize("job", Job)
def test_what_is_no_notebook_is_told_as_here(job: Job, notebook_process: NotebookProcess) -> None:
    for data in (b"{", b"[]", b"\xff", b'{"content":1}', b""):
        with pytest.raises(Misshapen, match="Error"):
            notebook_process.run(job, data)
    assert len(children()) == 1, "one process does it all"


def test_what_one_process_signed_the_other_trusts(
    notebook_process: NotebookProcess, notary: Notary
) -> None:
    notebook_process.run(Job.TRUST, notebook())
    assert b'"trusted":true' in WORK[Job.READ](notebook(), notary).data


def test_one_that_breaks_down_is_told_and_replaced(notebook_process: NotebookProcess) -> None:
    notebook_process.run(Job.READ, notebook())
    (child,) = children()
    child.kill()
    child.wait()
    with pytest.raises(Unavailable):
        notebook_process.run(Job.READ, notebook())
    notebook_process.run(Job.READ, notebook())
    notebook_process.close()
    assert not children()


def test_it_ends_with_its_parent_and_is_told_no_secret(tmp_path: Path) -> None:
    program = """
import sys
from perijove_contents.backends.notebook_process import NotebookProcess
from perijove_contents.backends.notebook_worker import Job
process = NotebookProcess(sys.argv[1])
process.run(Job.READ, b'{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}')
print(process._process.pid, flush=True)
sys.stdin.read()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PERIJOVE_CONTENTS_SERVICE_KEY": "secret"},
    )
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    assert "PERIJOVE_CONTENTS_SERVICE_KEY" not in child.environ()
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 30
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_only_large_ones_go_there(
    codec: NbformatCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    await codec.write(PATH, notebook())
    assert not children()
    monkeypatch.setattr(codec_module, "LARGE_BYTES", 1000)
    stored = await codec.write(PATH, notebook())
    assert len(children()) == 1
    assert json.loads((await codec.read(PATH, stored.data)).data)["cells"][0]["source"] == "x\ny"
    with pytest.raises(InvalidArgument) as caught:
        await codec.read(PATH, b"x" * 1000)
    assert caught.value.reason == "UNREADABLE_NOTEBOOK"
    assert LARGE_BYTES > 1024 * 1024
