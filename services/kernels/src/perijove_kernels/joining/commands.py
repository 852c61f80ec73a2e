"""What whoever runs a deployment does with its pool: make it, make and revoke tokens."""

from __future__ import annotations

import argparse
import os
import secrets
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_chassis.join_token import JoinToken, fingerprint_of

from perijove_kernels.joining.assembly import NAME
from perijove_kernels.joining.backends.files import PoolFiles
from perijove_kernels.joining.backends.outcasts import FileOutcasts
from perijove_kernels.joining.backends.private import write_private
from perijove_kernels.joining.backends.tokens import FileTokens
from perijove_kernels.model import parse_runner_id

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICES = "services"
"""Of the certificate that all services show to runners, and of its file."""


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say, write the result to standard output, return the exit status."""
    os.umask(0o077)
    found = _parser().parse_args(arguments)
    files = PoolFiles(Path(found.directory))
    if found.command == "init":
        initialise(files)
        return 0
    if found.command == "cast-out":
        FileOutcasts(files.outcasts).add(parse_runner_id(found.runner_id))
        return 0
    tokens = FileTokens(files.tokens)
    if found.command == "create-token":
        print(create_token(files, tokens, found.hours, found.uses))  # noqa: T201 - the result
        return 0
    if found.command == "list-tokens":
        for token in tokens.all():
            until = datetime.fromtimestamp(token.expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
            used = f"{len(token.runner_ids)} of {token.uses} used"
            print(f"{token.token_id}  until {until}  {used}")  # noqa: T201 - the result
        return 0
    return 0 if tokens.remove(found.token_id) else 1


def initialise(files: PoolFiles) -> None:
    """Make what is missing: the authority, the key of all services, their certificates."""
    from perijove_kernels.joining.backends import authority  # noqa: PLC0415 - costs memory

    files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.tokens.mkdir(mode=0o700, exist_ok=True)
    if not files.service_key.exists():
        write_private(files.service_key, secrets.token_hex(32).encode())
    if not files.root.exists():
        root, key = authority.make_root()
        write_private(files.root_key, key)
        write_private(files.root, root)
    root, key = files.root.read_bytes(), files.root_key.read_bytes()
    signing = authority.CertificateAuthority.load(root, key, timedelta(0))
    for name, usage in ((NAME, authority.SERVER), (SERVICES, authority.CLIENT)):
        certificate, key = signing.issue(name, [usage])
        write_private(files.key(name), key)
        write_private(files.certificate(name), certificate)


def create_token(files: PoolFiles, tokens: FileTokens, hours: float, uses: int) -> str:
    """Make a token and return it as people pass it on."""
    root = ssl.PEM_cert_to_DER_cert(files.root.read_text())
    token = JoinToken.new(fingerprint_of(root))
    tokens.add(token, lifetime_s=hours * 3600, uses=uses)
    return token.text()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m perijove_kernels.joining")
    commands = parser.add_subparsers(dest="command", required=True)
    made = [commands.add_parser(name) for name in ("init", "create-token", "list-tokens")]
    made[1].add_argument("--hours", type=float, default=1.0)
    made[1].add_argument("--uses", type=int, default=1)
    revoke, cast_out = commands.add_parser("revoke-token"), commands.add_parser("cast-out")
    for command in (*made, revoke, cast_out):
        command.add_argument("directory")
    revoke.add_argument("token_id")
    cast_out.add_argument("runner_id")
    return parser
