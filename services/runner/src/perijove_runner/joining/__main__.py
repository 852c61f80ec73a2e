"""Joins a deployment, or sees that it has: `python -m perijove_runner.joining`."""

import sys

from perijove_runner.joining.command import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
