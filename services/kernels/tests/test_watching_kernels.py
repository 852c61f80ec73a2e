"""`WatchKernels` over real sockets and Redis, beside `ListKernels`: both show the same."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove_chassis import errors
from perijove_chassis.status import rpc_errors_as_domain

from services.kernels.tests.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from services.kernels.tests.own_redis import OwnRedis

    Make = Callable[..., Any]


@contextmanager
def watching(replica: Any, before: Watched | None = None) -> Iterator[Watched]:
    """Watch from the beginning, or from where an earlier one left off."""
    request = pb.WatchKernelsRequest(after=before.last.position if before else None)
    call = replica.kernels.WatchKernels(request)
    watched = Watched(call, "kernel", before and dict(before.items))
    yield watched
    watched.close()


async def listing(replica: Any) -> pb.ListKernelsResponse:
    with rpc_errors_as_domain():
        reply: pb.ListKernelsResponse = await replica.kernels.ListKernels(pb.ListKernelsRequest())
    return reply


async def start(replica: Any, kernel_id: str) -> None:
    await replica.kernels.StartKernel(pb.StartKernelRequest(kernel_id=kernel_id))


async def begun(replica: Any) -> None:
    """Wait until the replica has read the registry."""
    while True:
        with watching(replica) as watched:
            try:
                await watched.read()
            except errors.Unavailable:
                await asyncio.sleep(0.02)
            else:
                return


async def same(watched: Watched, replica: Any) -> None:
    """Check that the watcher is told what a list shows."""
    listed = await listing(replica)
    await watched.reaches(listed.position)
    assert watched.items == {kernel.kernel_id: kernel for kernel in listed.kernels}


@pytest.fixture
async def replica(make_replica: Make) -> Any:
    replica = await make_replica()
    await begun(replica)
    return replica


@pytest.fixture
async def runner(make_runner: Make, replica: Any) -> Any:
    return await make_runner("r1", replica.target)


async def test_a_watcher_is_told_what_a_list_shows_and_every_change_of_it(
    replica: Any, runner: Any
) -> None:
    for name in ("k1", "k2", "k3"):
        await start(replica, name)
    with watching(replica) as watched:
        await same(watched, replica)
        runner.say("k1", execution_state=pb.EXECUTION_STATE_BUSY, connection_count=2)
        await watched.until(lambda: watched.items["k1"].connection_count == 2)
        await same(watched, replica)
        runner.end("k2")
        await watched.until(lambda: "k2" not in watched.items)
        await replica.kernels.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="k3"))
        await same(watched, replica)
        await start(replica, "k4")
        await same(watched, replica)
        assert watched.items.keys() == {"k1", "k4"}
        assert watched.resyncs == 1


async def test_a_replica_tells_what_was_done_at_another(
    replica: Any, runner: Any, make_replica: Make
) -> None:
    other = await make_replica()
    await begun(other)
    with watching(other) as watched:
        await start(replica, "k1")
        await same(watched, replica)
        runner.end("k1")
        await watched.until(lambda: not watched.items)


async def test_a_watcher_goes_on_at_another_replica(
    replica: Any, runner: Any, make_replica: Make
) -> None:
    other = await make_replica()
    await begun(other)
    await start(replica, "k1")
    await start(replica, "k2")
    with watching(replica) as first:
        await same(first, replica)
    runner.end("k1")
    await start(replica, "k3")
    with watching(other, first) as second:
        await same(second, replica)
        assert second.resyncs == 0
    with watching(replica, first) as third:
        await replica.store._commands._connections.client.xtrim(
            "{k}:feed", maxlen=1, approximate=False
        )
        await same(third, replica)


async def test_a_watcher_of_what_is_forgotten_is_sent_everything(replica: Any, runner: Any) -> None:
    await start(replica, "k1")
    with watching(replica) as first:
        await same(first, replica)
    for number in range(5):
        runner.say("k1", connection_count=number + 1)
    with watching(replica) as other:
        await other.until(lambda: other.items["k1"].connection_count == 5)
    await replica.store._commands._connections.client.xtrim("{k}:feed", maxlen=1, approximate=False)
    with watching(replica, first) as second:
        assert (await second.read()).resync
        await same(second, replica)


async def test_the_kernels_of_a_silent_runner_are_told_as_dead_and_as_back(
    replica: Any, runner: Any
) -> None:
    await start(replica, "k1")
    with watching(replica) as watched:
        await same(watched, replica)
        await runner.fall_silent()
        dead = pb.EXECUTION_STATE_DEAD
        await watched.until(lambda: watched.items["k1"].execution_state == dead)
        assert watched.items["k1"].last_exit.cause == pb.EXIT_CAUSE_RUNNER_LOST
        runner.announce_to(replica.target)
        await watched.until(lambda: watched.items["k1"].execution_state != dead)


async def test_a_watcher_lives_through_the_loss_of_redis(
    make_replica: Make, make_runner: Make, own_redis: OwnRedis
) -> None:
    replica = await make_replica(own_redis.url)
    await begun(replica)
    runner = await make_runner("r1", replica.target)
    await start(replica, "k1")
    with watching(replica) as watched:
        await watched.until(lambda: bool(watched.items) and not watched.last.incomplete)
        feed_id = watched.last.position.feed_id
        own_redis.kill()
        await watched.until(lambda: not watched.last.HasField("position"))
        assert watched.last.incomplete
        assert watched.items.keys() == {"k1"}
        await own_redis.start()
        await watched.until(lambda: watched.last.position.feed_id not in ("", feed_id))
        assert watched.items.keys() == {"k1"}
        await asyncio.wait_for(runner.registered.wait(), 20)
        await watched.until(lambda: not watched.last.incomplete)
        await same(watched, replica)
        assert watched.items.keys() == {"k1"}
        assert watched.resyncs == 1


async def test_a_watcher_lives_through_an_emptied_redis(replica: Any, runner: Any) -> None:
    await start(replica, "k1")
    with watching(replica) as watched:
        await watched.until(lambda: bool(watched.items) and not watched.last.incomplete)
        feed_id = watched.last.position.feed_id
        await replica.store._commands._connections.client.flushall()
        await watched.until(lambda: watched.last.position.feed_id not in ("", feed_id))
        await watched.until(lambda: not watched.last.incomplete)
        assert runner.registered.is_set()
        await same(watched, replica)
        assert watched.items.keys() == {"k1"}


async def test_a_replica_that_leaves_sends_its_watchers_elsewhere(replica: Any) -> None:
    with watching(replica) as watched:
        await watched.read()
        replica.running.cancel()
        with pytest.raises(errors.Unavailable):
            await watched.until(lambda: False)


async def test_a_watcher_is_told_of_a_lost_runner_and_of_its_return_though_nothing_is_written(
    replica: Any, runner: Any
) -> None:
    await start(replica, "k1")
    runner.say("k1", execution_state=pb.EXECUTION_STATE_IDLE)
    with watching(replica) as watched:

        def in_state(state: pb.ExecutionState) -> bool:
            return "k1" in watched.items and watched.items["k1"].execution_state == state

        await watched.until(lambda: in_state(pb.EXECUTION_STATE_IDLE))
        await runner.fall_silent()
        await watched.until(lambda: in_state(pb.EXECUTION_STATE_DEAD))
        assert watched.items["k1"].last_exit.cause == pb.EXIT_CAUSE_RUNNER_LOST
        await same(watched, replica)
        runner.announce_to(replica.target)
        await watched.until(lambda: in_state(pb.EXECUTION_STATE_IDLE))
        assert not watched.items["k1"].HasField("last_exit")
        await same(watched, replica)
