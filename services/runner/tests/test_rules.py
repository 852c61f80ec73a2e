"""What clients may say, and what of the kernel's words they are shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from perijove.kernels.v1 import channels_pb2 as pb
from perijove_runner.activity import Activity, told_state
from perijove_runner.backends.kernelspecs import InstalledKernelspecs
from perijove_runner.model import ExecutionState, KernelspecChoice
from perijove_runner.rules import UNTRACKED, MessageRules
from perijove_runner.settings import RunnerSettings

from tests.relays import IpyKernel, connected, content, kind, parent_id, relay_of, served, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.relays import Client

    Connect = Callable[[str], Client]

RULES = MessageRules(
    allowed=frozenset({"execute_request", "kernel_info_request"}),
    tracebacks=False,
    instead_of_traceback="Ask your administrator.",
)


@pytest.fixture
async def ruled(kernel: IpyKernel) -> AsyncIterator[Connect]:
    async with (
        relay_of(kernel, rules=RULES) as relay,
        served(relay) as address,
        connected(address) as connect,
    ):
        yield connect


async def test_a_message_that_is_not_allowed_is_answered_and_not_passed_on(ruled: Connect) -> None:
    client = ruled("a")
    await client.attach(outbox=pb.Outbox(outbox_id="o"))
    asked = await client.send(pb.CHANNEL_SHELL, "complete_request", {"code": "1", "cursor_pos": 1})
    seen = await client.until_done(asked)
    reply, idle = (message for message in seen if parent_id(message) == asked)
    assert (kind(reply), content(reply)["ename"]) == ("complete_reply", "MessageNotAllowed")
    assert kind(idle) == "status"
    await client.send(pb.CHANNEL_SHELL, "comm_msg", {"comm_id": "x", "data": {}})
    assert text(await client.run("print(1)")) == "1\n"
    while client.taken < 3:
        await client.next()


async def test_errors_are_not_shown_where_that_is_not_allowed(ruled: Connect) -> None:
    client = ruled("a")
    await client.attach()
    told = [m for m in await client.run("secret = 1 / 0") if kind(m) in ("error", "execute_reply")]
    assert len(told) == 2
    for message in told:
        assert content(message)["traceback"] == ["Ask your administrator."]
        assert (content(message)["ename"], content(message)["evalue"]) == (
            *("ExecutionError", "Execution error"),
        )
    assert text(await client.run("print('traceback')")) == "traceback\n"


def test_only_what_is_tracked_is_activity() -> None:
    def observe(by: Activity, state: str, parent: str) -> None:
        header = b'{"msg_type":"status"}'
        parent_header = f'{{"msg_type":"{parent}"}}'.encode()
        content = f'{{"execution_state":"{state}"}}'.encode()
        frames = [header, parent_header, b"{}", content]
        by.observe(frames, told_state(frames))

    activity = Activity(UNTRACKED)
    observe(activity, "busy", "kernel_info_request")
    assert activity.state is ExecutionState.IDLE
    observe(activity, "busy", "execute_request")
    assert activity.state is ExecutionState.BUSY
    # What is answered beside a cell that runs does not make the kernel idle.
    observe(activity, "idle", "debug_request")
    assert activity.state is ExecutionState.BUSY
    observe(activity, "idle", "execute_request")
    assert activity.state is ExecutionState.IDLE
    activity.last_time = 0.0
    observe(activity, "busy", "comm_info_request")
    assert activity.last_time == 0.0
    other = Activity(frozenset({"execute_request", "status"}))
    other.last_time = 0.0
    observe(other, "busy", "execute_request")
    assert other.last_time == 0.0


async def test_only_the_kernelspecs_that_are_chosen_are_offered(tmp_path: Path) -> None:
    directory = tmp_path / "kernels" / "other"
    directory.mkdir(parents=True)
    (directory / "kernel.json").write_text(
        '{"argv": ["x"], "display_name": "O", "language": "o",'
        ' "metadata": {"cull_idle_timeout": 7}}'
    )
    environ = {**os.environ, "JUPYTER_PATH": str(tmp_path)}
    found = {}
    for allowed in ((), ("other",)):
        specs = InstalledKernelspecs(environ, KernelspecChoice(allowed=allowed))
        await specs.refresh()
        found[allowed] = {spec.name: spec.cull_idle_s for spec in specs.all()}
    assert found[()].items() >= {"other": 7.0, "python3": None}.items()
    assert found[("other",)] == {"other": 7.0}


def test_settings_say_all_that_jupyter_says() -> None:
    settings = RunnerSettings(
        listen="unix:/x",
        id="r",
        state_dir="/s",
        autorestart=False,
        shutdown_wait_s=1.0,
        kernel_info_timeout_s=2.0,
        allowed_message_types="a, b",
        allowed_kernelspecs="python3,",
        cull_idle_timeout_s=3.0,
    )
    assert settings.policy().restart_limit == 0
    assert (settings.policy().polite_s, settings.policy().ready_s) == (1.0, 2.0)
    assert settings.limits().attach_wait_s == 2.0
    assert settings.rules().allowed == {"a", "b"}
    assert settings.rules().untracked == UNTRACKED
    assert settings.kernelspec_choice().allowed == ("python3",)
    assert settings.cull_rule().idle_s == 3.0


def test_kernels_have_the_variables_that_are_named_and_no_others() -> None:
    around = {"PATH": "/bin", "TEAM": "a", "SECRET": "canary"}
    for named, kept in (
        ("", around),
        ("TEAM, ABSENT", {"PATH": "/bin", "TEAM": "a"}),
        ("PATH", {"PATH": "/bin"}),
    ):
        settings = RunnerSettings(listen="unix:/x", id="r", state_dir="/s", inherited_envs=named)
        assert settings.kernel_environment(around) == kept
