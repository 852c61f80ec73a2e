"""Measures Perijove, jupyter_server and bare ZeroMQ side by side.

The kernel of the floods is `echo_kernel.py`, so that the kernel is not the limit;
the round trips use ipykernel.
"""

import argparse
import resource
import signal
import sys

from tests.bench import measures, report, runner
from tests.bench.measure import Effort


def main() -> None:
    """Run what the command line asks for and print the table."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less work for each value, one round")
    parser.add_argument("--only", default="", help="only measures with this in their name")
    parser.add_argument("--rounds", type=int, help="rounds that the servers take turns in")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    effort = Effort.quick() if options.quick else Effort.full()
    rounds = options.rounds or (1 if options.quick else 3)
    chosen = [m for m in measures.every(effort) if options.only.lower() in m.name.lower()]
    if not chosen:
        parser.error(f"no measure has {options.only!r} in its name")
    # Each kernel of jupyter_server has files open in one process.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # As with Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results = runner.run(chosen, rounds)
    table = report.markdown if options.markdown else report.text
    sys.stdout.write(f"{table(results)}\n\n{report.machine(rounds)}\n")
    sys.exit(any(result.failures for result in results))


if __name__ == "__main__":
    main()
