"""The pool of a deployment, on the command line: `python -m perijove_kernels.joining`."""

import sys

from perijove_kernels.joining.commands import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
