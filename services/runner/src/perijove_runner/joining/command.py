"""Joins once; later it only sees that the certificate still holds."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc
import msgspec
from perijove.runners.v1 import joining_pb2 as pb
from perijove.runners.v1 import joining_pb2_grpc as pb_grpc
from perijove_chassis.errors import DomainError, FailedPrecondition
from perijove_chassis.join_token import JoinToken
from perijove_chassis.tls import Dialing

from perijove_runner.joining.discovery import root_at
from perijove_runner.joining.identity import Identity, Membership

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKEN_VARIABLE: Final = "PERIJOVE_JOIN_TOKEN"  # noqa: S105 - the name of a variable
"""Has the token: arguments can be read by everybody on the machine."""

_AUDIENCE: Final = "kernels"
_JOIN_S: Final = 30.0


def run(arguments: Sequence[str]) -> int:
    """Be a member when this returns 0; otherwise say why not, and return 1."""
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m perijove_runner.joining")
    for name in ("directory", "target", "name"):
        parser.add_argument(name)
    found = parser.parse_args(arguments)
    identity = Identity(Path(found.directory))
    identity.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        text = os.environ.get(TOKEN_VARIABLE, "")
        token = JoinToken.parse(text) if text else None
        asyncio.run(be_member(identity, found.target, found.name, token))
    except DomainError as error:
        print(error, file=sys.stderr)  # noqa: T201 - whoever starts it reads that
        return 1
    except grpc.aio.AioRpcError as error:
        print(f"{found.target} refuses: {error.details()}", file=sys.stderr)  # noqa: T201 - the same
        return 1
    return 0


async def be_member(identity: Identity, target: str, name: str, token: JoinToken | None) -> None:
    """Join with a token, unless the runner is a member already.

    Args:
        identity: What is kept of it.
        target: Host and port where it joins; empty for the same as before.
        name: What it is to be called.
        token: What it joins with; it is not used by one that is a member.

    Raises:
        FailedPrecondition: if it is no member and has no token, or is a member elsewhere.
        DomainError: if whoever answers is not to be trusted, or cannot be reached.
        AioRpcError: if it is refused.
    """
    known = identity.membership()
    if known and token and token.fingerprint != identity.fingerprint():
        raise FailedPrecondition(
            "the state directory belongs to a runner of another deployment: choose another one"
        )
    if known and identity.holds():
        if target and target != known.target:
            identity.move(msgspec.structs.replace(known, target=target))
        return
    if not token or not (target or known):
        why = "the runner's certificate has expired" if known else "the runner has not joined yet"
        raise FailedPrecondition(f"{why}: it needs --join and --token")
    where = target or (known.target if known else "")
    if known:
        # The same key and name make the same id again.
        name = known.runner_id.rpartition("-")[0]
    root = await asyncio.to_thread(root_at, where, token.fingerprint)
    reply = await _join(where, root, token, identity.request(name))
    made = Membership(reply.runner_id, reply.runner_key.hex(), where)
    identity.keep(made, root, reply.certificate)


async def _join(target: str, root: str, token: JoinToken, request: bytes) -> pb.JoinResponse:
    channel = Dialing(roots=root.encode()).channel(target, _AUDIENCE, ())
    try:
        stub: pb_grpc.JoiningServiceAsyncStub = pb_grpc.JoiningServiceStub(channel)
        return await stub.Join(
            pb.JoinRequest(certificate_request=request),
            metadata=(("authorization", token.credential()),),
            timeout=_JOIN_S,
        )
    finally:
        await channel.close()
