"""What a process does first, it may be asked for by several at once."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import threading

from perijove_contents.backends.plain_notebooks import is_plain

output = {"output_type": "stream", "name": "stdout", "text": "a"}
cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "outputs": [output]}
cell["execution_count"] = 1
notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
sys.setswitchinterval(1e-6)
together = threading.Barrier(4)
seen = []

def look():
    together.wait()
    seen.append(is_plain(notebook))

threads = [threading.Thread(target=look) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert seen == [True] * 4, seen
"""
TIMES = 3


def test_the_first_notebooks_of_a_process_are_looked_at_by_several_threads_at_once() -> None:
    for _ in range(TIMES):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
