"""What is measured: Perijove, jupyter_server in its own environment, bare ZeroMQ."""

import compileall
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.bench import echo_kernel
from tests.bench.http_client import trusting
from tests.ports import free_port

HERE = Path(__file__).parent
ENVIRONMENT = Path(".bench")
TOKEN = "bench"
START_S = 60.0
LOG_NAME = "output.log"
"""In a server's home: what it has said."""

PERIJOVE = "Perijove"
JUPYTER_SERVER = "jupyter_server"

PYTHON_KERNEL = "bench-python"
ECHO_KERNEL = "bench-echo"
WARM_KERNEL = "bench-warm"
"""The Python kernel under another name: Perijove keeps one ready."""
NAMES_ONLY_KERNEL = "bench-names-only"
"""The echo kernel, of which jupyter_server starts one for all: see `names_only.py`."""


@dataclasses.dataclass(frozen=True, slots=True)
class HttpServer:
    """A running Jupyter server."""

    name: str
    url: str
    """Base URL with a trailing slash."""
    root_dir: Path
    pid: int
    token: str = TOKEN
    metrics_url: str = ""
    """Where it says how many kernels it has ready."""

    def memory_mb(self) -> float:
        """Return the proportional memory of all its processes without the kernels, in MB."""
        return sum(self.memory_by_process_mb().values())

    def memory_by_process_mb(self) -> dict[int, float]:
        """Return the same by the id of the process."""
        return self._by_process_mb("Pss")

    def written_mb(self) -> float:
        """Return how much of it they have written, and do not just share or map, in MB."""
        return sum(self._by_process_mb("Pss_Anon").values())

    def _by_process_mb(self, kind: str) -> dict[int, float]:
        main = psutil.Process(self.pid)
        family = [main, *main.children(recursive=True)]
        return {process.pid: _memory_mb(process, kind) for process in filter(_is_server, family)}


def install() -> None:
    """Make the environment of jupyter_server on first use; compile what is run.

    As on any machine that has run it before: who may not write next to modules would
    compile them at each start, of each process, which takes longer than all else there.
    """
    wanted = (HERE / "requirements.txt").read_text()
    done = ENVIRONMENT / "requirements.txt"
    if not done.exists() or done.read_text() != wanted:
        uv = Path(sys.executable).with_name("uv")
        environment = {**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT.absolute())}
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, ENVIRONMENT], check=True)
        requirements = ["-r", HERE / "requirements.txt", "-c", "constraints.txt"]
        subprocess.run([uv, "pip", "install", "-q", *requirements], check=True, env=environment)
        done.write_text(wanted)
    ours = [path for path in sys.path if Path.cwd() in Path(path).parents]
    for directory in (*ours, *ENVIRONMENT.glob("lib/python*/site-packages")):
        compileall.compile_dir(directory, quiet=2, workers=0)


def write_kernelspecs(directory: Path) -> None:
    """Write the kernels of the measurements: the very same programs under each server."""
    python = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
    echo = [str(Path(echo_kernel.__file__).resolve()), "{connection_file}"]
    programs = {
        PYTHON_KERNEL: python,
        WARM_KERNEL: python,
        **dict.fromkeys((ECHO_KERNEL, NAMES_ONLY_KERNEL), echo),
    }
    for name, arguments in programs.items():
        spec = {"argv": [sys.executable, *arguments], "display_name": name, "language": "python"}
        # Perijove asks for it; for the echo kernel all transports are the same.
        spec["metadata"] = {"perijove": {"transport": "ipc"}}
        if name == NAMES_ONLY_KERNEL:
            spec["metadata"] = {"kernel_provisioner": {"provisioner_name": name}}
        folder = directory / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))


@contextmanager
def jupyter_server(home: Path, jupyter_path: Path, *options: str) -> Iterator[HttpServer]:
    """Run the server of the registry with its rate limits off."""
    arguments = ["--no-browser", "--allow-root", "--ServerApp.port_retries=0"]
    arguments += ["--ZMQChannelsWebsocketConnection.limit_rate=False"]
    arguments += ["--ServerApp.log_level=WARN", f"--IdentityProvider.token={TOKEN}"]
    modules = _install_provisioner(home.with_name(f"{home.name}-modules"))
    program = str(ENVIRONMENT.absolute() / "bin" / "jupyter-server")
    command = ["env", f"PYTHONPATH={modules}", program, *arguments, *options]
    with _running(JUPYTER_SERVER, command, "--ServerApp.root_dir=", home, jupyter_path) as server:
        yield server


def _install_provisioner(modules: Path) -> Path:
    """Make the provisioner of names known to whoever has a directory on its path."""
    info = modules / "names_only-0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(HERE / "names_only.py", modules)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: names-only\nVersion: 0\n")
    entry = f"{NAMES_ONLY_KERNEL} = names_only:NamesOnly"
    (info / "entry_points.txt").write_text(f"[jupyter_client.kernel_provisioners]\n{entry}\n")
    return modules


@contextmanager
def perijove(home: Path, jupyter_path: Path, *options: str) -> Iterator[HttpServer]:
    """Run the whole of Perijove as its command does."""
    runtime = home / "runtime"
    command = [str(Path(sys.executable).with_name("perijove")), "up", "--no-browser"]
    command += ["--token", TOKEN, "--runtime-dir", str(runtime), "--warm", f"{WARM_KERNEL}:1"]
    metrics = f"127.0.0.1:{free_port()}"
    command = ["env", f"PERIJOVE_RUNNER_METRICS_LISTEN={metrics}", *command, *options]
    with _running(PERIJOVE, command, "--root-dir=", home, jupyter_path) as server:
        yield dataclasses.replace(server, metrics_url=f"http://{metrics}/metrics")


@contextmanager
def _running(
    name: str, command: list[str], root_option: str, home: Path, jupyter_path: Path
) -> Iterator[HttpServer]:
    root = home / "root"
    root.mkdir(parents=True)
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if "JUPYTER" not in key}
    environment |= {
        "HOME": str(home),
        "JUPYTER_PATH": str(jupyter_path),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter-runtime"),
    }
    with (home / LOG_NAME).open("wb") as log:
        process = subprocess.Popen(
            [*command, f"{root_option}{root}", f"--port={port}"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        scheme = "https" if any("certfile" in word for word in command) else "http"
        server = HttpServer(name, f"{scheme}://127.0.0.1:{port}/", root, process.pid)
        _wait_until_up(server, process, home / LOG_NAME)
        yield server
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server, and what it started too if it cannot do that itself."""
    with suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for child in started:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def _wait_until_up(server: HttpServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    headers = {"Authorization": f"token {server.token}"}
    request = urllib.request.Request(server.url + "api/kernelspecs", headers=headers)  # noqa: S310
    while True:
        try:
            context = trusting(server.url)
            with urllib.request.urlopen(request, timeout=5, context=context) as response:  # noqa: S310
                specs = json.load(response)["kernelspecs"]
            if ECHO_KERNEL in specs:
                return
        except (OSError, urllib.error.URLError):
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{server.name} does not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.1)


def _is_server(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False  # it has ended since
    return "ipykernel_launcher" not in command and "echo_kernel" not in command


def _memory_mb(process: psutil.Process, kind: str) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                return int(line.split()[1]) / 1024
    return 0.0
