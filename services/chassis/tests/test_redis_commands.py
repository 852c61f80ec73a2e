"""Commands on a Redis that is slow, breaks off, or is not there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from perijove_chassis.errors import Unavailable
from perijove_chassis.redis_commands import Commands

from services.chassis.tests.redis_proxy import RedisProxy
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SCRIPTS = {
    "prelude": "local names = unpack(KEYS)",
    "echo": "return ARGV[1]",
    "count": "return { redis.call('INCR', names), {}, ARGV[1] }",
    "fail": "return redis.call('HGET', names, 'x', 'y')",
}


@pytest.fixture
async def proxy(redis_url: str, tmp_path: Path) -> AsyncIterator[RedisProxy]:
    proxy = RedisProxy(redis_url.removeprefix("unix://"), tmp_path)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
async def commands(proxy: RedisProxy, tmp_path: Path) -> AsyncIterator[Commands]:
    for name, text in SCRIPTS.items():
        (tmp_path / f"{name}.lua").write_text(text)
    commands = Commands(proxy.url, tmp_path, ["{x}:names"])
    yield commands
    await commands.close()


async def test_no_caller_gets_the_reply_of_another_that_gave_up(
    proxy: RedisProxy, commands: Commands
) -> None:
    for round_ in range(10):
        proxy.gate.clear()
        given_up = [asyncio.create_task(commands.script("echo", n)) for n in range(20)]
        await asyncio.sleep(0.01 * (round_ % 3))  # at different places of their way
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        asked = [asyncio.create_task(commands.script("echo", f"a{n}")) for n in range(40)]
        await asyncio.sleep(0)
        proxy.gate.set()
        assert await asyncio.gather(*asked) == [f"a{n}" for n in range(40)]


async def test_no_caller_gets_a_reply_that_came_too_late(
    proxy: RedisProxy, commands: Commands
) -> None:
    assert await commands.script("echo", "first") == "first"
    proxy.gate.clear()
    with pytest.raises(Unavailable):
        await commands.script("echo", "late")
    proxy.gate.set()
    assert await commands.script("echo", "next") == "next"


async def test_a_change_that_is_sent_twice_is_made_once_and_says_the_same(
    proxy: RedisProxy, commands: Commands
) -> None:
    assert await commands.change("count", "ä") == [1, [], "ä"]
    proxy.breaks = 1.0
    assert await commands.change("count", "ö") == [2, [], "ö"]
    assert proxy.broken == 1
    assert await commands.change("count", "ö") == [3, [], "ö"]


async def test_more_callers_than_connections_wait_for_their_turn(commands: Commands) -> None:
    asked = [commands.script("echo", str(n)) for n in range(500)]
    assert await asyncio.gather(*asked) == [str(n) for n in range(500)]


async def test_whoever_waits_too_long_for_a_turn_is_told_so(
    proxy: RedisProxy, commands: Commands
) -> None:
    proxy.gate.clear()
    outcomes = await asyncio.gather(
        *(commands.script("echo", n) for n in range(100)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    proxy.gate.set()
    assert await commands.script("echo", "a") == "a"


async def test_waiting_for_an_arrival_takes_no_turn_from_others(commands: Commands) -> None:
    waiting = [asyncio.create_task(commands.arrival("{x}:feed", "0-1", 1.0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert await commands.script("echo", "a") == "a"
    assert not any(task.done() for task in waiting)
    await asyncio.gather(*waiting)


async def test_a_redis_that_refuses_is_unavailable(commands: Commands) -> None:
    with pytest.raises(Unavailable) as caught:
        await commands.script("fail")
    assert caught.value.reason == "STATE_UNREACHABLE"


@pytest.mark.parametrize(
    "url",
    [
        "unix:///{folder}/absent",
        "redis://127.0.0.1:{port}",
        "rediss://127.0.0.1:{port}",
        "redis+sentinel://127.0.0.1:{port},127.0.0.1:{port}/main",
        "redis+cluster://127.0.0.1:{port},127.0.0.1:{port}",
    ],
)
async def test_a_redis_that_is_not_there_is_unavailable(
    commands: Commands, tmp_path: Path, url: str
) -> None:
    del commands  # its scripts are there
    place = url.format(folder=tmp_path, port=free_port())
    absent = Commands(place, tmp_path, ["{x}:names"])
    for failing in (absent.script("echo", "a"), absent.arrival("{x}:feed", "0-1", 0.1)):
        with pytest.raises(Unavailable) as caught:
            await failing
        assert caught.value.reason == "STATE_UNREACHABLE"
    await absent.close()


async def test_while_redis_says_nothing_one_finds_out_and_nobody_else_waits(
    proxy: RedisProxy, commands: Commands
) -> None:
    assert await commands.script("echo", "a") == "a"
    proxy.gate.clear()
    with pytest.raises(Unavailable):
        await commands.script("echo", "a")
    finding_out = asyncio.create_task(commands.script("echo", "b"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _ in range(100):
        with pytest.raises(Unavailable):
            await commands.script("echo", "c")
    assert not finding_out.done()
    proxy.gate.set()
    assert await finding_out == "b"
    assert await commands.script("echo", "d") == "d"
