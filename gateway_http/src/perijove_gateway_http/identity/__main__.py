"""`perijove password`: `python -m perijove_gateway_http.identity`."""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from perijove_gateway_http.identity import password_hash
from perijove_gateway_http.identity.password_file import PasswordFile
from perijove_gateway_http.settings import PREFIX

_VARIABLE = f"{PREFIX}PASSWORD_FILE"


def main() -> None:
    """Ask for a password, and store it for every gateway that is told of the file."""
    parser = argparse.ArgumentParser(prog="perijove password", description=main.__doc__)
    default = os.environ.get(_VARIABLE, "")
    parser.add_argument("--file", default=default, help=f"where to store it ({default})")
    parser.add_argument("--remove", action="store_true", help="let there be none any more")
    found = parser.parse_args()
    if not found.file:
        parser.error(f"say where with --file, or with {_VARIABLE}")
    try:
        stored = "" if found.remove else password_hash.make(_asked())
        PasswordFile(found.file).write(stored)
    except (EOFError, KeyboardInterrupt):
        sys.exit(130)
    except OSError as error:
        sys.exit(f"perijove: error: {found.file} cannot be written: {error.strerror}")
    done = "removed from" if found.remove else "stored in"
    sys.stderr.write(f"perijove: the password is {done} {found.file}; every login has ended\n")


def _asked() -> str:
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    elif (password := getpass.getpass("New password: ")) != getpass.getpass("Once more: "):
        sys.exit("perijove: error: the two are not the same")
    if not password:
        sys.exit("perijove: error: a password is not empty; --remove lets there be none")
    return password


if __name__ == "__main__":
    main()
