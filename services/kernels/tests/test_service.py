"""The kernels service on real sockets, over real Redis, with runners that announce to it."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from perijove.kernels.v1 import kernels_pb2 as pb
from perijove.kernels.v1 import kernels_pb2_grpc
from perijove.kernels.v1 import kernelspecs_pb2 as specs_pb
from perijove_chassis import errors
from perijove_chassis.status import rpc_errors_as_domain
from perijove_kernels.naming import Naming

from services.kernels.tests.replicas import until

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
async def replica(make_replica: Callable[..., Any]) -> Any:
    return await make_replica()


@pytest.fixture
async def runner(make_runner: Callable[..., Any], replica: Any) -> Any:
    return await make_runner("r1", replica.target)


async def start(replica: Any, **fields: Any) -> pb.StartKernelResponse:
    return await replica.kernels.StartKernel(pb.StartKernelRequest(**fields))


async def get(replica: Any, kernel_id: str) -> pb.Kernel:
    return (await replica.kernels.GetKernel(pb.GetKernelRequest(kernel_id=kernel_id))).kernel


async def listed(replica: Any) -> list[str]:
    reply = await replica.kernels.ListKernels(pb.ListKernelsRequest())
    return [kernel.kernel_id for kernel in reply.kernels]


async def test_a_started_kernel_is_found_at_once_by_any_replica(
    replica: Any, runner: Any, make_replica: Callable[..., Any]
) -> None:
    other = await make_replica()
    reply = await start(replica, labels={"a": "b"}, environment={"X": "1"}, working_directory="/x")
    assert reply.created
    kernel = await get(other, reply.kernel.kernel_id)
    assert kernel == reply.kernel
    assert kernel.runner_id == "r1"
    assert kernel.runner_address == runner.address
    assert kernel.execution_state == pb.EXECUTION_STATE_STARTING
    assert await listed(other) == [kernel.kernel_id]
    launch = runner.launches[0]
    assert (launch.kernelspec_name, launch.working_directory) == ("python3", "/x")
    labels = {"a": "b", "perijove.working_directory": "/x"}
    assert (dict(launch.environment), dict(launch.labels)) == ({"X": "1"}, labels)


async def test_a_started_kernel_id_is_not_started_again(replica: Any, runner: Any) -> None:
    first = await start(replica, kernel_id="my-kernel_1")
    again = await start(replica, kernel_id="my-kernel_1", kernelspec_name="python3")
    assert (first.created, again.created) == (True, False)
    assert first.kernel == again.kernel
    assert len(runner.launches) == 1


async def test_fifty_starts_of_one_id_at_three_replicas_start_one_kernel(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replicas = [await make_replica() for _ in range(3)]
    runners = [await make_runner(f"r{number}", replicas[number].target) for number in range(3)]
    replies = await asyncio.gather(
        *(start(replicas[number % 3], kernel_id="k1") for number in range(50))
    )
    assert sum(reply.created for reply in replies) == 1
    assert [len(runner.kernels) for runner in runners].count(1) == 1
    assert await listed(replicas[0]) == ["k1"]


async def test_many_starts_at_three_replicas_fill_runners_and_no_more(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replicas = [await make_replica() for _ in range(3)]
    runners = [await make_runner(f"r{n}", replicas[n].target, capacity=4) for n in range(3)]
    outcomes = await asyncio.gather(
        *(start(replicas[number % 3]) for number in range(20)), return_exceptions=True
    )
    refused = [o for o in outcomes if isinstance(o, grpc.aio.AioRpcError)]
    assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert [len(runner.kernels) for runner in runners] == [4, 4, 4]
    assert len(await listed(replicas[0])) == 12


async def test_a_launch_that_fails_says_why_and_gives_its_place_back(
    replica: Any, make_runner: Callable[..., Any]
) -> None:
    await make_runner("r1", replica.target, capacity=1)
    with pytest.raises(errors.FailedPrecondition) as caught, rpc_errors_as_domain():
        await start(replica, kernel_id="k1", environment={"FAIL": "1"})
    assert caught.value.reason == "KERNEL_START_FAILED"
    assert (await start(replica, kernel_id="k2")).created


async def test_kernels_are_listed_in_order_of_their_start_and_in_pages(
    replica: Any, runner: Any
) -> None:
    made = [(await start(replica)).kernel.kernel_id for _ in range(5)]
    assert len(runner.kernels) == 5
    assert await listed(replica) == made
    found, token = [], ""
    while True:
        request = pb.ListKernelsRequest(page_size=2, page_token=token)
        reply = await replica.kernels.ListKernels(request)
        found.append([kernel.kernel_id for kernel in reply.kernels])
        token = reply.next_page_token
        if not token:
            break
    assert found == [made[:2], made[2:4], made[4:]]


async def test_what_a_runner_announces_is_seen_by_any_replica(
    replica: Any, runner: Any, make_replica: Callable[..., Any]
) -> None:
    other = await make_replica()
    await start(replica, kernel_id="k1", labels={"a": "b"})
    runner.say("k1", execution_state=pb.EXECUTION_STATE_BUSY, connection_count=3)

    async def busy() -> bool:
        kernel = await get(other, "k1")
        return kernel.execution_state == pb.EXECUTION_STATE_BUSY and kernel.connection_count == 3

    await until(busy)
    runner.end("k1")
    await until(lambda: _is_gone(other, "k1"))
    assert await listed(replica) == []


async def test_a_kernel_is_interrupted_restarted_changed_and_shut_down(
    replica: Any, runner: Any, make_replica: Callable[..., Any]
) -> None:
    other = await make_replica()
    await start(replica, kernel_id="k1")
    await other.kernels.InterruptKernel(pb.InterruptKernelRequest(kernel_id="k1"))
    assert runner.interrupts == ["k1"]
    restarted = await other.kernels.RestartKernel(pb.RestartKernelRequest(kernel_id="k1"))
    assert restarted.kernel.epoch == 2
    assert await get(replica, "k1") == restarted.kernel
    request = pb.UpdateKernelRequest(kernel_id="k1", labels={"x": "y"}, environment={"A": "B"})
    request.update_mask.paths.append("labels")
    changed = await other.kernels.UpdateKernel(request)
    assert dict(changed.kernel.labels) == {"x": "y"}
    assert not runner.updates[0].environment
    assert await get(replica, "k1") == changed.kernel
    await other.kernels.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="k1"))
    assert await _is_gone(replica, "k1")
    assert not runner.kernels


async def test_how_a_kernel_ended_is_told_after_it_is_gone(replica: Any, runner: Any) -> None:
    await start(replica, kernel_id="k1")
    request = pb.ShutdownKernelRequest(kernel_id="k1", requested_by="Io")
    await replica.kernels.ShutdownKernel(request)
    assert not runner.kernels
    with pytest.raises(errors.NotFound) as caught, rpc_errors_as_domain():
        await replica.kernels.GetKernel(pb.GetKernelRequest(kernel_id="k1"))
    assert caught.value.reason == "NO_SUCH_KERNEL"
    assert str(caught.value) == "Kernel does not exist: k1. The kernel was shut down by Io."
    ended = await replica.kernels.GetKernel(pb.GetKernelRequest(kernel_id="k1", show_ended=True))
    assert ended.kernel.execution_state == pb.EXECUTION_STATE_DEAD
    assert ended.kernel.last_exit.cause == pb.EXIT_CAUSE_SHUTDOWN
    assert ended.kernel.last_exit.requested_by == "Io"
    with (
        pytest.raises(errors.NotFound, match=r"^Kernel does not exist: k2$"),
        rpc_errors_as_domain(),
    ):
        await replica.kernels.GetKernel(pb.GetKernelRequest(kernel_id="k2", show_ended=True))


@pytest.mark.parametrize("method", ["Interrupt", "Restart", "Update"])
async def test_a_kernel_its_runner_does_not_have_is_forgotten(
    replica: Any, runner: Any, method: str
) -> None:
    await start(replica, kernel_id="k1")
    del runner.kernels["k1"]
    request = getattr(pb, f"{method}KernelRequest")(kernel_id="k1")
    if method == "Update":
        request.update_mask.paths.append("labels")
    with pytest.raises(errors.NotFound), rpc_errors_as_domain():
        await getattr(replica.kernels, f"{method}Kernel")(request)
    assert await _is_gone(replica, "k1")


async def test_a_kernelspec_may_be_forced(
    make_replica: Callable[..., Any], make_runner: Callable[..., Any]
) -> None:
    replica = await make_replica(naming=Naming("python3", "ir"))
    await make_runner("r1", replica.target, kernelspecs=("python3", "ir"))
    for named in ("", "python3", "absent"):
        assert (await start(replica, kernelspec_name=named)).kernel.kernelspec_name == "ir"
    assert [one.data["kernel_name"] for one in replica.told] == ["ir"] * 3
    reply = await replica.kernelspecs.ListKernelspecs(specs_pb.ListKernelspecsRequest())
    assert reply.default_kernelspec_name == "ir"


async def test_kernelspecs_are_those_of_the_runners(
    replica: Any, make_runner: Callable[..., Any]
) -> None:
    first = await make_runner("r1", replica.target, kernelspecs=("python3", "ir"))
    await make_runner("r2", replica.target, kernelspecs=("python3", "julia"))
    reply = await replica.kernelspecs.ListKernelspecs(specs_pb.ListKernelspecsRequest())
    assert [spec.name for spec in reply.kernelspecs] == ["ir", "julia", "python3"]
    assert reply.default_kernelspec_name == "python3"
    request = specs_pb.GetKernelspecRequest(name="PyThOn3")
    found = (await replica.kernelspecs.GetKernelspec(request)).kernelspec
    assert found.metadata == b'{"debugger":true}'
    read = specs_pb.ReadKernelspecResourceRequest(name="Julia", resource="logo-64x64.png")
    chunks = [reply.chunk async for reply in replica.kernelspecs.ReadKernelspecResource(read)]
    assert chunks == [b"one", b"two"]
    assert (await start(replica, kernelspec_name="IR")).kernel.runner_id == "r1"
    first.offer("python3")

    async def without_ir() -> bool:
        with pytest.raises(errors.NotFound) as caught, rpc_errors_as_domain():
            await start(replica, kernelspec_name="ir")
        return caught.value.reason == "NO_SUCH_KERNELSPEC"

    async def offered() -> list[str]:
        reply = await replica.kernelspecs.ListKernelspecs(specs_pb.ListKernelspecsRequest())
        return [spec.name for spec in reply.kernelspecs]

    await until(lambda: _equal(offered, ["julia", "python3"]))
    assert await without_ir()


async def test_users_keep_off_the_labels_of_the_services(replica: Any, runner: Any) -> None:
    await start(replica, kernel_id="k1", labels={"perijove.session.x": "{}", "a": "b"})
    metadata = [("authorization", "Bearer tok")]
    async with grpc.aio.insecure_channel(replica.target) as channel:
        stub: Any = kernels_pb2_grpc.KernelsServiceStub(channel)
        request = pb.StartKernelRequest(labels={"perijove.session.y": "{}"})
        with pytest.raises(errors.PermissionDenied), rpc_errors_as_domain():
            await stub.StartKernel(request, metadata=metadata)
        update = pb.UpdateKernelRequest(kernel_id="k1", labels={"c": "d"})
        update.update_mask.paths.append("labels")
        reply = await stub.UpdateKernel(update, metadata=metadata)
    assert dict(reply.kernel.labels) == {"perijove.session.x": "{}", "c": "d"}
    assert len(runner.launches) == 1


LONG_LABELS = {str(number): "x" for number in range(33)}


@pytest.mark.parametrize(
    ("service", "method", "fields", "error", "reason"),
    [
        ("kernels", "StartKernel", {"kernel_id": "../etc"}, errors.InvalidArgument, ""),
        ("kernels", "StartKernel", {"kernel_id": "x" * 65}, errors.InvalidArgument, ""),
        ("kernels", "StartKernel", {"kernel_id": "a b"}, errors.InvalidArgument, ""),
        (
            "kernels",
            "StartKernel",
            {"kernelspec_name": "cobol"},
            errors.NotFound,
            "NO_SUCH_KERNELSPEC",
        ),
        (
            "kernels",
            "StartKernel",
            {"kernelspec_name": "{{7*7}}\n"},
            errors.NotFound,
            "NO_SUCH_KERNELSPEC",
        ),
        ("kernels", "StartKernel", {"working_directory": "a"}, errors.InvalidArgument, ""),
        ("kernels", "StartKernel", {"working_directory": "/a\0"}, errors.InvalidArgument, ""),
        ("kernels", "StartKernel", {"environment": {"": "x"}}, errors.InvalidArgument, ""),
        ("kernels", "StartKernel", {"environment": {"A=B": "x"}}, errors.InvalidArgument, ""),
        ("kernels", "StartKernel", {"environment": {"A": "\0"}}, errors.InvalidArgument, ""),
        (
            "kernels",
            "StartKernel",
            {"environment": {"A": "x" * 70_000}},
            errors.ResourceExhausted,
            "LIMIT_EXCEEDED",
        ),
        ("kernels", "StartKernel", {"labels": {"": "x"}}, errors.InvalidArgument, ""),
        (
            "kernels",
            "StartKernel",
            {"labels": {"a": "x" * 1024}},
            errors.ResourceExhausted,
            "LIMIT_EXCEEDED",
        ),
        (
            "kernels",
            "StartKernel",
            {"labels": LONG_LABELS},
            errors.ResourceExhausted,
            "LIMIT_EXCEEDED",
        ),
        ("kernels", "ListKernels", {"page_size": -1}, errors.InvalidArgument, ""),
        ("kernels", "ListKernels", {"page_token": "%"}, errors.InvalidArgument, ""),
        ("kernelspecs", "ListKernelspecs", {"page_size": -1}, errors.InvalidArgument, ""),
        ("kernelspecs", "ListKernelspecs", {"page_token": "%"}, errors.InvalidArgument, ""),
        ("kernelspecs", "GetKernelspec", {}, errors.InvalidArgument, ""),
        (
            "kernelspecs",
            "GetKernelspec",
            {"name": "cobol"},
            errors.NotFound,
            "NO_SUCH_KERNELSPEC",
        ),
        *(
            ("kernels", f"{verb}Kernel", {"kernel_id": kernel_id}, error, reason)
            for verb in ("Get", "Interrupt", "Restart", "Shutdown")
            for kernel_id, error, reason in (
                ("", errors.InvalidArgument, ""),
                ("a/b", errors.InvalidArgument, ""),
                (str(uuid.uuid4()), errors.NotFound, "NO_SUCH_KERNEL"),
            )
        ),
    ],
)
async def test_bad_input_is_refused(
    replica: Any,
    runner: Any,
    service: str,
    method: str,
    fields: dict[str, Any],
    error: type[errors.DomainError],
    reason: str,
) -> None:
    messages = pb if service == "kernels" else specs_pb
    request = getattr(messages, f"{method}Request")(**fields)
    with pytest.raises(error) as caught, rpc_errors_as_domain():
        await getattr(getattr(replica, service), method)(request)
    assert caught.value.reason == reason
    assert not runner.launches


@pytest.mark.parametrize(
    ("mask", "fields", "error"),
    [
        ([], {"labels": {"a": "b"}}, errors.InvalidArgument),
        (["kernel_id"], {}, errors.InvalidArgument),
        (["labels"], {"labels": {"": "b"}}, errors.InvalidArgument),
        (["labels"], {"labels": LONG_LABELS}, errors.ResourceExhausted),
        (["environment"], {"environment": {"=": "b"}}, errors.InvalidArgument),
        (["labels"], {"kernel_id": "nope"}, errors.NotFound),
        (["labels"], {"kernel_id": ""}, errors.InvalidArgument),
    ],
)
async def test_a_bad_change_of_a_kernel_is_refused(
    replica: Any,
    runner: Any,
    mask: list[str],
    fields: dict[str, Any],
    error: type[errors.DomainError],
) -> None:
    await start(replica, kernel_id="k1")
    request = pb.UpdateKernelRequest(**({"kernel_id": "k1"} | fields))
    request.update_mask.paths.extend(mask)
    with pytest.raises(error), rpc_errors_as_domain():
        await replica.kernels.UpdateKernel(request)
    assert not runner.updates


@pytest.mark.parametrize(
    ("name", "resource", "error"),
    [
        ("", "logo-64x64.png", errors.InvalidArgument),
        ("python3", "", errors.InvalidArgument),
        ("python3", "../kernel.json", errors.InvalidArgument),
        ("python3", "..", errors.InvalidArgument),
        ("python3", "other.png", errors.NotFound),
        ("cobol", "logo-64x64.png", errors.NotFound),
    ],
)
async def test_a_bad_resource_is_refused(
    replica: Any, runner: Any, name: str, resource: str, error: type[errors.DomainError]
) -> None:
    del runner
    request = specs_pb.ReadKernelspecResourceRequest(name=name, resource=resource)
    with pytest.raises(error), rpc_errors_as_domain():
        [_ async for _ in replica.kernelspecs.ReadKernelspecResource(request)]


async def test_without_a_runner_nothing_starts(replica: Any) -> None:
    with pytest.raises(errors.Unavailable) as caught, rpc_errors_as_domain():
        await start(replica)
    assert caught.value.reason == "RUNNER_UNREACHABLE"


async def _is_gone(replica: Any, kernel_id: str) -> bool:
    try:
        with rpc_errors_as_domain():
            await get(replica, kernel_id)
    except errors.NotFound as error:
        return error.reason == "NO_SUCH_KERNEL"
    return False


async def _equal(read: Callable[[], Any], wanted: object) -> bool:
    return bool(await read() == wanted)
