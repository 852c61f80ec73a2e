"""`perijove runner`: a runner of a deployment on another machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from perijove_chassis.credentials import Issuer, runner_name

from perijove_local import descendants, probe, process
from perijove_local.directory import RuntimeDirectory
from perijove_local.environments import KERNELS_GRACE_S, drain_s, environment
from perijove_local.joining_options import TOKEN_VARIABLE
from perijove_local.listening import check_free
from perijove_local.logs import Logs
from perijove_local.process import ProcessSpec
from perijove_local.supervision import Signals, Supervision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perijove_local.joining_options import RunnerOptions
    from perijove_local.terminal import Terminal

_ANY = ("0.0.0.0", "[::]")
_GRACE_S = 2.0
_LOOK_S = 1.0


class _Membership(msgspec.Struct, frozen=True):
    """What is read of `membership.json`."""

    runner_id: str
    runner_key: str
    target: str


@dataclass(frozen=True, slots=True)
class JoinedRunner:
    """Everything the one process is told."""

    options: RunnerOptions
    directory: RuntimeDirectory
    membership: _Membership
    address: str
    """Host and port under which the deployment is to reach it."""
    inherited: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def spec(self) -> ProcessSpec:
        """Return the process."""
        member, options = self.membership, self.options
        name, key = runner_name(member.runner_id), bytes.fromhex(member.runner_key)
        health = Issuer(key, issuer="local", audience=name)
        here = self.directory.socket("runner")
        return ProcessSpec(
            name="runner",
            arguments=(sys.executable, "-m", "perijove_runner.supervisor"),
            environment=environment("runner", self.inherited, options.log_level, self._told()),
            probe=probe.grpc_health(str(here), health.credential),
            grace_s=KERNELS_GRACE_S + drain_s(self.inherited),
            left=self.directory.path / "runner" / "left",
            death_signal=signal.SIGTERM,
            heralds="supervisor: ",
        )

    def _told(self) -> dict[str, str]:
        options, own = self.options, membership_directory(self.directory)
        return {
            "ID": self.membership.runner_id,
            "SERVICE_KEY": self.membership.runner_key,
            "LISTEN": f"unix:{self.directory.socket('runner')},tls:{options.listen}",
            "ADVERTISE": f"tls:{self.address}",
            "KERNELS": f"tls:{self.membership.target}",
            "TLS_CERT": str(own / "runner.crt"),
            "TLS_KEY": str(own / "runner.key"),
            "TLS_CLIENT_CA": str(own / "ca.crt"),
            "TLS_DIAL_CA": str(own / "ca.crt"),
            "RENEW_CERTIFICATE": "true",
            "STATE_DIR": str(self.directory.path / "runner"),
            "WORKING_DIRECTORY": str(options.work),
            "CAPACITY": str(options.capacity),
            "LABELS": options.labels,
            "KERNELS_ON_STOP": "keep" if options.keep else "shutdown",
            "WARM": options.warm,
            "GRACE_S": str(_GRACE_S),
        }


def run(options: RunnerOptions, terminal: Terminal) -> int:
    """Join if that is still to be done, run until told to stop, and return the exit status.

    Raises:
        Failure: if it cannot join, or cannot start.
    """
    directory = RuntimeDirectory(options.state, option="--state-dir")
    check_free(options.listen, "--listen")
    member = _joined(options, directory)
    address = _reachable(options, member.target, terminal)
    inherited = {**options.file.variables(), **os.environ}
    runner = JoinedRunner(options, directory, member, address, inherited)
    if not options.keep:
        process.adopt_orphans()
    supervision = Supervision(
        (runner.spec(),), Logs(directory.logs), Signals(), terminal, debug=options.debug
    )
    terminal.event(f"{runner.membership.runner_id} joins {runner.membership.target}")
    try:
        if supervision.start(is_patient=True):
            terminal.result(_banner(runner))
            supervision.run(lambda: None)
        if not supervision.has_left:  # which it says itself
            terminal.event("stopping; Ctrl-C again to kill everything at once")
    finally:
        supervision.stop()
        if not options.keep:
            descendants.kill_all()
    directory.remove()
    terminal.event("stopped")
    return 0


def membership_directory(directory: RuntimeDirectory) -> Path:
    """Return where it is kept who the runner is."""
    return directory.path / "membership"


def _joined(options: RunnerOptions, directory: RuntimeDirectory) -> _Membership:
    """Be a member, by a process of its own: what makes keys is large, and this one stays."""
    own = membership_directory(directory)
    command = (sys.executable, "-m", "perijove_runner.joining")
    token = {TOKEN_VARIABLE: options.token.reveal()}
    process.ask((*command, str(own), options.join, options.name), os.environ | token)
    return msgspec.json.decode((own / "membership.json").read_bytes(), type=_Membership)


def _reachable(options: RunnerOptions, target: str, terminal: Terminal) -> str:
    """Return the host and port under which the deployment is to reach the runner.

    A machine that has just been switched on may have no network yet: that is waited for.
    """
    host, _, port = options.listen.rpartition(":")
    if options.advertise or host not in _ANY:
        return options.advertise or options.listen
    own = _address_towards(target)
    if not own:
        terminal.event(f"there is no way to {target} yet; waiting for one")
    while not own:
        time.sleep(_LOOK_S)
        own = _address_towards(target)
    return f"{own}:{port}"


def _address_towards(target: str) -> str:
    """Return this machine's address on the way to another; empty if there is no way.

    Nothing is sent.
    """
    host, _, port = target.rpartition(":")
    with suppress(OSError):
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
        for family, kind, number, _, address in found:
            with suppress(OSError), closing(socket.socket(family, kind, number)) as asking:
                asking.connect(address)
                own = str(asking.getsockname()[0])
                return f"[{own}]" if ":" in own else own
    return ""


def _banner(runner: JoinedRunner) -> str:
    rows = {
        "Runner": runner.membership.runner_id,
        "Of": runner.membership.target,
        "Reached at": runner.address,
        "Kernels in": str(runner.options.work),
        "Logs": str(runner.directory.logs),
        "Stop": "Ctrl-C",
    }
    width = max(map(len, rows))
    lines = (f"  {name:<{width}}  {value}" for name, value in rows.items())
    return "\n".join(("\nThe runner is ready.\n", *lines, ""))
