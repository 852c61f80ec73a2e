"""What is asked of gRPC is still there to be asked for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from perijove_chassis.grpc_switches import FEWER_THREADS, VARIABLE


@pytest.mark.parametrize(("value", "known"), [(FEWER_THREADS, True), ("-no_such_part", False)])
def test_the_installed_grpc_knows_the_switches(value: str, *, known: bool) -> None:
    command = [sys.executable, "-c", "import grpc; grpc.aio.init_grpc_aio()"]
    done = subprocess.run(
        command, env={**os.environ, VARIABLE: value}, capture_output=True, check=True, text=True
    )
    assert ("Unknown experiment" not in done.stderr) == known
