"""Memory that is freed is kept for the next large buffer."""

import subprocess
import sys

FAULTS = """
import resource
from perijove_chassis.allocator import keep_freed_memory
{keep}
def use():
    return [b"x" * (number * 1_000_000) for number in range(1, 7)]
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep: str) -> int:
    command = [sys.executable, "-c", FAULTS.format(keep=keep)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_large_buffers_are_not_mapped_anew() -> None:
    assert faults("keep_freed_memory()") < 200
