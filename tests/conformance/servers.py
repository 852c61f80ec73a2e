"""Servers of the kind under test, told what one module of tests needs."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.conformance.client import GENEROUS_S, Server
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.running import Home, RunningPerijove

TOKEN = "conformance"
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Option:
    """What both kinds of servers can be told."""

    perijove: str
    """Variable of the environment, without `PERIJOVE_`."""
    stock: str
    """Class and trait."""


OPTIONS = {
    "allow_credentials": Option("GATEWAY_HTTP_ALLOW_CREDENTIALS", "ServerApp.allow_credentials"),
    "allow_origin_pat": Option("GATEWAY_HTTP_ALLOW_ORIGIN_PAT", "ServerApp.allow_origin_pat"),
    "allow_tracebacks": Option("RUNNER_ALLOW_TRACEBACKS", "MappingKernelManager.allow_tracebacks"),
    "allowed_envs": Option("GATEWAY_HTTP_ALLOWED_ENVS", "GatewayClient.allowed_envs"),
    "allowed_kernelspecs": Option(
        "RUNNER_ALLOWED_KERNELSPECS", "KernelSpecManager.allowed_kernelspecs"
    ),
    "allowed_message_types": Option(
        "RUNNER_ALLOWED_MESSAGE_TYPES", "MappingKernelManager.allowed_message_types"
    ),
    "cookie_name": Option("GATEWAY_HTTP_COOKIE_NAME", "IdentityProvider.cookie_name"),
    "cookie_options": Option("GATEWAY_HTTP_COOKIE_OPTIONS", "IdentityProvider.cookie_options"),
    "cull_busy": Option("RUNNER_CULL_BUSY", "MappingKernelManager.cull_busy"),
    "cull_connected": Option("RUNNER_CULL_CONNECTED", "MappingKernelManager.cull_connected"),
    "cull_idle_s": Option("RUNNER_CULL_IDLE_TIMEOUT_S", "MappingKernelManager.cull_idle_timeout"),
    "cull_interval_s": Option("RUNNER_CULL_INTERVAL_S", "MappingKernelManager.cull_interval"),
    "default_kernelspec": Option(
        "KERNELS_DEFAULT_KERNELSPEC", "MultiKernelManager.default_kernel_name"
    ),
    "external_kernels": Option("RUNNER_EXTERNAL_KERNELS", "ServerApp.external_connection_dir"),
    "kernel_info_timeout_s": Option(
        "RUNNER_KERNEL_INFO_TIMEOUT_S", "MappingKernelManager.kernel_info_timeout"
    ),
    "kernel_ws_protocol": Option(
        "GATEWAY_HTTP_KERNEL_WS_PROTOCOL", "ZMQChannelsWebsocketConnection.kernel_ws_protocol"
    ),
    "restart_limit": Option("RUNNER_RESTART_LIMIT", "KernelRestarter.restart_limit"),
    "shutdown_wait_s": Option("RUNNER_SHUTDOWN_WAIT_S", "KernelManager.shutdown_wait_time"),
    "stable_start_s": Option("RUNNER_STABLE_START_S", "KernelRestarter.stable_start_time"),
    "untracked_message_types": Option(
        "RUNNER_UNTRACKED_MESSAGE_TYPES", "MappingKernelManager.untracked_message_types"
    ),
    "terminals": Option("GATEWAY_HTTP_TERMINALS", "ServerApp.terminals_enabled"),
    "terminal_cull_idle_s": Option(
        "RUNNER_TERMINAL_CULL_INACTIVE_TIMEOUT_S", "TerminalManager.cull_inactive_timeout"
    ),
    "terminal_cull_interval_s": Option(
        "RUNNER_TERMINAL_CULL_INTERVAL_S", "TerminalManager.cull_interval"
    ),
    "trust_xheaders": Option("GATEWAY_HTTP_TRUST_XHEADERS", "ServerApp.trust_xheaders"),
    "traceback_replacement": Option(
        "RUNNER_TRACEBACK_REPLACEMENT", "MappingKernelManager.traceback_replacement_message"
    ),
}
"""By the names that the tests have for them."""

CONFIGURATIONS = {
    "ServerApp": "jupyter_server_config.json",
    "KernelGatewayApp": "jupyter_kernel_gateway_config.json",
}
"""What applications read, by their classes."""


class RunningStock:
    """One jupyter_server, or an application that is one."""

    def __init__(
        self, command: Path, home: Home, told: Mapping[str, Any], *, app: str = "ServerApp"
    ) -> None:
        """Start it.

        Args:
            command: The program.
            home: Where it finds and leaves what a user has.
            told: Values of traits, by class and trait.
            app: Class of the application.
        """
        self.home = home
        self.config = Path(home.environment["JUPYTER_CONFIG_DIR"])
        self.config.mkdir(parents=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        told = {
            "IdentityProvider.token": TOKEN,
            "ServerApp.root_dir": str(home.root),
            # If no directory is named, one that is not there.
            "ServerApp.allow_external_kernels": True,
            f"{app}.port": port,
            f"{app}.port_retries": 0,
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            **told,
        }
        traits: dict[str, dict[str, Any]] = {}
        for name, value in told.items():
            section, _, trait = name.partition(".")
            traits.setdefault(section, {})[trait] = value
        (self.config / CONFIGURATIONS[app]).write_text(json.dumps(traits))
        lab = {
            "JUPYTERLAB_SETTINGS_DIR": str(self.config / "lab" / "user-settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.config / "lab" / "workspaces"),
        }
        self._output = home.root.parent / "terminal.out"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [command],
                cwd=home.root.parent,
                env=home.environment | lab,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def server(self, token: str | None = None) -> Server:
        """Return it once it answers."""
        given = TOKEN if token is None else token
        found = Server(self.url, given, self.home.root, self.config, is_stock=True)
        deadline = time.monotonic() + GENEROUS_S
        while True:
            try:
                if found.ask("GET", "api").status == 200:
                    return found
            except OSError:
                pass
            said = self._output.read_text()
            assert self.process.poll() is None, f"it ended:\n{said}"
            assert time.monotonic() < deadline, f"it does not answer:\n{said}"
            time.sleep(_POLL_S)

    def end(self) -> None:
        """End it with its kernels."""
        if self.process.poll() is not None:
            return
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        try:
            self.process.wait(GENEROUS_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for one in family:
            if one.is_running():
                one.kill()


class Servers:
    """Starts servers of one kind, and ends those of jupyter_server."""

    def __init__(
        self,
        stock: Path | None,
        make_home: Callable[[], Home],
        start_perijove: Callable[..., RunningPerijove],
    ) -> None:
        """Start Perijove, or the command of another server if there is one."""
        self._stock = stock
        self._make_home = make_home
        self._start_perijove = start_perijove
        self._running: list[RunningStock] = []

    def start(
        self,
        kernelspecs: Mapping[str, Any] | None = None,
        *,
        hashed_password: str = "",
        token: str | None = None,
        **told: Any,
    ) -> Server:
        """Start a server.

        Args:
            kernelspecs: What is in the `kernel.json` of kernelspecs, by their names; a
                text is written as it is.
            hashed_password: What is stored of the password, in Jupyter's configuration.
            token: What clients present; empty for nothing, any if it is not given.
            told: Values for options of the table.
        """
        home = self._make_home()
        for name, spec in (kernelspecs or {}).items():
            write_kernelspec(Path(home.environment["JUPYTER_DATA_DIR"]), name, spec)
        if self._stock:
            traits = {OPTIONS[name].stock: value for name, value in told.items()}
            if hashed_password:
                traits["PasswordIdentityProvider.hashed_password"] = hashed_password
            if token is not None:
                traits["IdentityProvider.token"] = token
            running = RunningStock(self._stock, home, traits)
            self._running.append(running)
            return running.server(token)
        if hashed_password:
            _write_password(home, hashed_password)
        variables = {
            f"PERIJOVE_{OPTIONS[name].perijove}": _as_text(value) for name, value in told.items()
        }
        if token is not None:
            variables["JUPYTER_TOKEN"] = token
        perijove = self._start_perijove(home=home, **variables)
        config = Path(home.environment["JUPYTER_CONFIG_DIR"])
        return Server(perijove.url, perijove.token, home.root, config, is_stock=False)

    def end(self) -> None:
        """End those that nobody else ends."""
        for running in self._running:
            running.end()


def install_kernelspec(server: Server, name: str, spec: Any) -> Path:
    """Install a kernelspec for the user of a server made here; return its directory."""
    assert server.config
    return write_kernelspec(server.config.with_name("jupyter-data"), name, spec)


def _write_password(home: Home, hashed_password: str) -> None:
    config = Path(home.environment["JUPYTER_CONFIG_DIR"])
    config.mkdir(parents=True)
    told = {"IdentityProvider": {"hashed_password": hashed_password}}
    (config / "jupyter_server_config.json").write_text(json.dumps(told))


def write_kernelspec(data: Path, name: str, spec: Any) -> Path:
    """Install a kernelspec in a data directory; return its own."""
    directory = data / "kernels" / name
    directory.mkdir(parents=True)
    text = spec if isinstance(spec, str) else json.dumps(spec)
    (directory / "kernel.json").write_text(text)
    return directory


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
