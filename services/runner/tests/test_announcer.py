"""What a runner process says, and what it answers."""

import os
from pathlib import Path
from typing import Any

import pytest
from perijove.kernels.v1 import kernels_pb2
from perijove.runners.v1 import runner_pb2 as pb
from perijove.runners.v1 import runner_pb2_grpc
from perijove_chassis import credentials, errors, status
from perijove_chassis.client import Channel, Deadlines
from perijove_chassis.credentials import derive_key

from services.runner.tests.house import KEY, RUNNER_KEY, House


async def test_a_runner_announces_all_that_happens(house: House, directory: Path) -> None:
    registry = house.registry
    await house.until(lambda: bool(registry.hellos))
    runner = registry.hellos[0].runner
    assert (runner.runner_id, runner.capacity) == ("r1", 2)
    assert runner.address == f"unix:{directory}/r.sock"
    spec = next(spec for spec in registry.hellos[0].kernelspecs if spec.name == "python3")
    assert (spec.language, spec.interrupt_mode) == ("python", "signal")
    assert {"logo-64x64.png", "logo-svg.svg"} <= set(spec.resources)
    launched = await house.launch(labels={"x": "y"})
    assert launched.created
    assert launched.kernel.execution_state == kernels_pb2.EXECUTION_STATE_STARTING
    assert (launched.kernel.runner_id, launched.kernel.runner_address) == ("r1", runner.address)
    await house.until(lambda: "a" in registry.kernels)
    assert registry.kernels["a"].labels == {"x": "y"}
    await house.run("1")
    await house.until(lambda: registry.told[-1] == "IDLE")
    registry.heartbeats = 0
    await house.until(lambda: registry.heartbeats > 1)
    registry.hang_up.set()
    await house.until(lambda: len(registry.hellos) == 2)
    assert [kernel.kernel_id for kernel in registry.hellos[1].kernels] == ["a"]
    reply = await house.stub.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="a"))
    await house.until(lambda: registry.told[-2:] == ["DEAD", "gone 1"])
    assert reply.revision > launched.kernel.revision


async def test_a_kernelspec_that_appears_is_announced(house: House, directory: Path) -> None:
    await house.until(lambda: bool(house.registry.hellos))
    place = directory / "jupyter" / "kernels" / "new"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(
        '{"argv": ["x"], "display_name": "New", "language": "x", "metadata": {"a": [1]}}'
    )
    await house.until(lambda: "new" in house.registry.kernelspecs)


async def test_a_resource_is_streamed_and_nothing_else_is(house: House, directory: Path) -> None:
    place = directory / "jupyter" / "kernels" / "big"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text('{"argv": ["x"], "display_name": "B", "language": "x"}')
    (place / "fits").write_bytes(b"x" * (8 << 20))
    (place / "large").write_bytes(b"x" * ((8 << 20) + 1))
    os.mkfifo(place / "pipe")
    await house.until(lambda: "big" in house.registry.kernelspecs)

    async def read(name: str, resource: str) -> list[int]:
        request = pb.ReadKernelspecResourceRequest(name=name, resource=resource)
        with status.rpc_errors_as_domain():
            call = house.stub.ReadKernelspecResource(request)
            return [len(reply.chunk) async for reply in call]

    assert await read("big", "fits") == [1 << 20] * 8
    assert await read("BIG", "kernel.json") == [53]
    with pytest.raises(errors.ResourceExhausted):
        await read("big", "large")
    for name, resource in [("big", "none"), ("big", "pipe"), ("cobol", "fits")]:
        with pytest.raises(errors.NotFound):
            await read(name, resource)
    for name in ["", "..", ".", "../fits", "/etc/passwd", "a\\b", "a\0"]:
        with pytest.raises(errors.InvalidArgument):
            await read("big", name)


BAD_CALLS: list[tuple[str, Any, type[errors.DomainError]]] = [
    *(
        ("LaunchKernel", pb.LaunchKernelRequest(**fields), errors.InvalidArgument)
        for fields in (
            {},
            {"kernel_id": "a"},
            {"kernelspec_name": "python3"},
            {"kernel_id": "../a", "kernelspec_name": "python3"},
            {"kernel_id": "a" * 65, "kernelspec_name": "python3"},
            {"kernel_id": "a", "kernelspec_name": "../python3"},
            {"kernel_id": "a", "kernelspec_name": "python3", "working_directory": "tmp"},
            {"kernel_id": "a", "kernelspec_name": "python3", "working_directory": "/a\0"},
            {"kernel_id": "a", "kernelspec_name": "python3", "environment": {"A=B": "1"}},
            {"kernel_id": "a", "kernelspec_name": "python3", "environment": {"": "1"}},
            {"kernel_id": "a", "kernelspec_name": "python3", "environment": {"A": "\0"}},
            {"kernel_id": "a", "kernelspec_name": "python3", "labels": {"": "1"}},
        )
    ),
    *(
        ("LaunchKernel", pb.LaunchKernelRequest(**fields), errors.ResourceExhausted)
        for fields in (
            {
                "kernel_id": "a",
                "kernelspec_name": "python3",
                "labels": {str(number): "" for number in range(33)},
            },
            {"kernel_id": "a", "kernelspec_name": "python3", "labels": {"x": "y" * 1024}},
            {"kernel_id": "a", "kernelspec_name": "python3", "environment": {"x": "y" * 65537}},
        )
    ),
    (
        "LaunchKernel",
        pb.LaunchKernelRequest(kernel_id="a", kernelspec_name="cobol"),
        errors.NotFound,
    ),
    *(
        (f"{verb}Kernel", getattr(pb, f"{verb}KernelRequest")(kernel_id=kernel_id), error)
        for verb in ("Interrupt", "Restart", "Shutdown")
        for kernel_id, error in (
            ("", errors.InvalidArgument),
            ("a/b", errors.InvalidArgument),
            ("none", errors.NotFound),
        )
    ),
    ("UpdateKernel", pb.UpdateKernelRequest(kernel_id="none"), errors.InvalidArgument),
    (
        "UpdateKernel",
        pb.UpdateKernelRequest(kernel_id="none", update_mask={"paths": ["epoch"]}),
        errors.InvalidArgument,
    ),
    (
        "UpdateKernel",
        pb.UpdateKernelRequest(kernel_id="none", update_mask={"paths": ["labels"]}),
        errors.NotFound,
    ),
]


async def test_bad_calls_are_refused_and_change_nothing(house: House, directory: Path) -> None:
    for method, request, error in BAD_CALLS:
        with pytest.raises(error), status.rpc_errors_as_domain():
            await getattr(house.stub, method)(request)
    assert list((directory / "s" / "k").iterdir()) == []
    assert "unexpected error" not in house.log.read_text()


@pytest.mark.parametrize(
    "issuer",
    [
        credentials.Issuer(RUNNER_KEY, "runner/r1", "runner/r1"),
        credentials.Issuer(RUNNER_KEY, "kernels", "kernels"),
        credentials.Issuer(derive_key(KEY, "runner/r2"), "kernels", "runner/r1"),
    ],
)
@pytest.mark.usefixtures("house")
async def test_only_other_services_may_call(directory: Path, issuer: credentials.Issuer) -> None:
    channel = Channel(f"unix:{directory}/r.sock", issuer, Deadlines())
    stub: Any = runner_pb2_grpc.RunnerServiceStub(channel)  # type: ignore[call-overload]
    with (
        pytest.raises((errors.PermissionDenied, errors.Unauthenticated)),
        status.rpc_errors_as_domain(),
    ):
        await stub.ShutdownKernel(pb.ShutdownKernelRequest(kernel_id="a"))
    await channel.close()
