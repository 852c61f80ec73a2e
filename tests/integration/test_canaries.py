"""No secret is told: not in a log, a metric, an error or a command line, whatever happens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import grpc
import psutil
import pytest
from perijove.kernels.v1 import kernels_pb2, kernels_pb2_grpc

from tests.jupyter_ws import JupyterClient
from tests.ports import free_port
from tests.raw_http import ask
from tests.running import command_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import StartPerijove
    from tests.running import RunningPerijove

TOKEN = "canary-token-6f1d"
SERVICES = ("contents", "sessions", "kernels", "runner")
CODE = "import os; print(len(os.environ)); raise ValueError('expected')"


@pytest.fixture(scope="module")
def metrics() -> dict[str, str]:
    return {name: f"127.0.0.1:{free_port()}" for name in SERVICES}


@pytest.fixture(scope="module")
def told(start_for_module: StartPerijove, metrics: dict[str, str]) -> RunningPerijove:
    """Run a stack that logs all it can."""
    listening = {f"PERIJOVE_{name.upper()}_METRICS_LISTEN": at for name, at in metrics.items()}
    return start_for_module("--log-level", "debug", JUPYTER_TOKEN=TOKEN, **listening)


class Secrets:
    """What nobody may read, by what it is."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {"token": TOKEN}

    def take(self, perijove: RunningPerijove) -> None:
        """Read the keys of the processes, and those of kernels."""
        for name in (*SERVICES, "gateway_http"):
            environment = psutil.Process(perijove.pid(name)).environ()
            for variable, value in environment.items():
                if variable.startswith("PERIJOVE_") and variable.endswith(("_KEY", "_TOKEN")):
                    self.found[variable] = value
        for path in perijove.runtime_dir.rglob("connection.json"):
            self.found[f"key of {path.parent.name}"] = json.loads(path.read_text())["key"]

    def expect_none(self, text: str, where: str) -> None:
        for name, value in self.found.items():
            assert len(value) > 8, name
            assert value not in text, f"{name} is in {where}"


def errors_of_clients(url: str) -> list[str]:
    """Make every kind of mistake with the token in every place; return what is answered."""
    mistakes = (
        (b"GET", b"/api/contents/nope?token=" + TOKEN.encode(), b""),
        (b"GET", b"/nope?token=" + TOKEN.encode(), b""),
        (b"GET", b"/api/me?permissions=[" + TOKEN.encode(), b""),
        (b"GET", b"/files/%ff?token=" + TOKEN.encode(), b""),
        (b"PUT", b"/api/contents/x?token=" + TOKEN.encode(), b"{" + b"["),
        (b"POST", b"/api/sessions?token=" + TOKEN.encode(), b'{"path": 5}'),
        (b"POST", b"/api/kernels?token=" + TOKEN.encode(), b'{"name": "nope"}'),
        (b"POST", b"/nbconvert/html?token=" + TOKEN.encode(), b'{"content": {"nbformat": 4}}'),
        (b"POST", b"/login?token=" + TOKEN.encode(), b"password=" + TOKEN.encode()),
        (b"TRACE", b"/api?token=" + TOKEN.encode(), b""),
        (b"GET", b"/api\x00?token=" + TOKEN.encode(), b""),
    )
    referer = {"Referer": f"{url}lab?token={TOKEN}", "X-Request-Id": TOKEN[:4]}
    return [
        ask(url, *mistake, headers).data.decode(errors="replace")
        for mistake in mistakes
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}x", **referer})
    ]


async def use(perijove: RunningPerijove, secrets: Secrets) -> None:
    """Do what people and programs do."""
    async with JupyterClient.http(TOKEN) as http:
        jupyter = JupyterClient(http, perijove.url)
        async with http.get(f"{perijove.url}api/me") as response:
            for name, cookie in response.cookies.items():
                secrets.found[f"cookie {name}"] = cookie.value
        session = await jupyter.new_session("a.ipynb")
        async with jupyter.kernel(session["kernel"]["id"]) as kernel:
            await kernel.finished(await kernel.start(CODE))
        secrets.take(perijove)
        await jupyter.call("POST", f"api/kernels/{session['kernel']['id']}/restart")
        secrets.take(perijove)
        await jupyter.call("POST", "api/terminals")
        psutil.Process(perijove.pid("sessions")).kill()
        await jupyter.call("GET", "api/sessions")
    async with grpc.aio.insecure_channel(perijove.target("kernels")) as channel:
        stub = kernels_pb2_grpc.KernelsServiceStub(channel)
        for shown in (TOKEN, f"{TOKEN}x"):
            metadata = (("authorization", f"Bearer {shown}"),)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.GetKernel(kernels_pb2.GetKernelRequest(kernel_id="x"), metadata=metadata)
            secrets.expect_none(str(caught.value.details()), "an error of gRPC")


async def test_no_secret_is_told_anywhere(
    told: RunningPerijove, metrics: dict[str, str], tmp_path: Path
) -> None:
    del tmp_path
    secrets = Secrets()
    await use(told, secrets)
    answered = errors_of_clients(told.url)
    secrets.take(told)
    kinds = " ".join(secrets.found)
    for kind in ("GATEWAY_HTTP_SERVICE_KEY", "RUNNER_SERVICE_KEY", "API_TOKEN", "key of", "cookie"):
        assert kind in kinds
    logs = {path.name: path.read_text(errors="replace") for path in told.runtime_dir.glob("logs/*")}
    assert {f"{name}.log" for name in (*SERVICES, "gateway_http")} <= set(logs)
    for name, text in logs.items():
        secrets.expect_none(text, name)
    for name, at in metrics.items():
        said = ask(f"http://{at}/", b"GET", b"/metrics").data.decode()
        assert "perijove_calls_total" in said
        secrets.expect_none(said, f"the metrics of {name}")
    shown = ask(told.url, b"GET", b"/metrics", token=TOKEN)
    secrets.expect_none(shown.data.decode().partition("\r\n\r\n")[2], "the metrics of the edge")
    for answer in answered:
        secrets.expect_none(re.sub(r"(?i)set-cookie:[^\r]*", "", answer), f"the answer {answer}")
    secrets.expect_none(told.said.replace(f"token={TOKEN}", ""), "what is said at the start")
    for process in told.descendants():
        secrets.expect_none(" ".join(command_line(process)), "a command line")
