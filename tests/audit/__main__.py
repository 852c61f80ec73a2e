"""`make audit`: whether anything is known against the packages that are used.

It fails if something is, and not if there is nobody to ask: registries that are copies often
know packages only. Then it says so; `--strict` makes that a failure, too.
"""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.audit.findings import Found, NobodyKnows, accepted, new, read

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent.parent
COMMAND = Path(sys.prefix, "audit", "bin", "pip-audit")
TIMEOUT_S = 600
KNOWN = "urllib3==1.24.1\n"
"""What is known to be vulnerable: whoever knows nothing of it knows nothing of others."""


def main() -> None:
    """Ask, say what was found, and exit: 1 if something was, 2 if nobody could be asked."""
    parser = argparse.ArgumentParser(prog="make audit", description=main.__doc__)
    parser.add_argument("--strict", action="store_true", help="fail if nobody could be asked")
    parser.add_argument("--osv-url", help="where to ask as osv.dev is asked, not at the registry")
    options = parser.parse_args()
    strict = options.strict
    try:
        found = _audited(options.osv_url)
    except NobodyKnows as error:
        _say(f"NOT AUDITED, as nobody could be asked: {error}")
        sys.exit(2 if strict else 0)
    today = dt.datetime.now(tz=dt.UTC).date()
    listed = new(found.vulnerable, accepted(ROOT / "tests" / "audit" / "accepted.toml", today))
    for one in listed:
        _say(str(one))
    if found.unknown:
        _say(f"not audited, as they are not known: {', '.join(found.unknown)}")
    _say(f"{found.audited} packages audited, {len(listed)} vulnerabilities")
    sys.exit(1 if listed else 2 if strict and found.unknown else 0)


def _audited(osv_url: str | None) -> Found:
    more = ("--vulnerability-service=osv", f"--osv-url={osv_url}") if osv_url else ()
    if not _asked(KNOWN, more).vulnerable:
        raise NobodyKnows("the registry tells nothing of vulnerabilities")
    return _asked((ROOT / "constraints.txt").read_text(), more)


def _asked(requirements: str, more: Sequence[str]) -> Found:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirements)
        file.flush()
        # Versions are all there: nothing is resolved, downloaded or run.
        options = ("--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off")
        try:
            done = subprocess.run(
                [COMMAND, "--requirement", file.name, *options, *more],
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NobodyKnows("there was no answer in time") from None
    return read(done.stdout, done.stderr.decode(errors="replace"))


def _say(text: str) -> None:
    sys.stdout.write(f"audit: {text}\n")


if __name__ == "__main__":
    main()
