"""Programs that use the services over gRPC, beside the Jupyter clients."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.running import RunningPerijove

EXAMPLE = Path(__file__).parents[2] / "docs/examples/run_cell.py"


def test_the_example_of_the_documentation_runs_a_cell(
    perijove: RunningPerijove,
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PERIJOVE_KERNELS": perijove.target("kernels"),
        "PERIJOVE_TOKEN": perijove.token,
    }
    ran = subprocess.run(
        [sys.executable, str(EXAMPLE), "print(6 * 7)"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.returncode) == ("42\n", 0), ran.stderr
