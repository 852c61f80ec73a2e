"""Every RPC of the contract is served: the generated base classes would answer UNIMPLEMENTED."""

import importlib
from types import ModuleType

import pytest
from google.protobuf.descriptor import ServiceDescriptor
from perijove.contents.v1 import contents_pb2, conversion_pb2, documents_pb2
from perijove.events.v1 import events_pb2
from perijove.kernels.v1 import channels_pb2, execution_pb2, kernels_pb2, kernelspecs_pb2
from perijove.runners.v1 import joining_pb2, runner_pb2, runners_pb2
from perijove.sessions.v1 import sessions_pb2
from perijove.terminals.v1 import terminals_pb2

CONTRACT: tuple[ModuleType, ...] = (
    contents_pb2,
    conversion_pb2,
    documents_pb2,
    events_pb2,
    channels_pb2,
    execution_pb2,
    kernels_pb2,
    kernelspecs_pb2,
    joining_pb2,
    runner_pb2,
    runners_pb2,
    sessions_pb2,
    terminals_pb2,
)

SERVICES: list[ServiceDescriptor] = [
    service for module in CONTRACT for service in module.DESCRIPTOR.services_by_name.values()
]

SERVED_BY = {
    "ContentsService": "perijove_contents.servicer.ContentsServicer",
    "ConversionService": "perijove_contents.conversion.servicer.ConversionServicer",
    "DocumentsService": "perijove_contents.documents.servicer.DocumentsServicer",
    "SessionsService": "perijove_sessions.servicer.SessionsServicer",
    "EventsService": "perijove_sessions.events.servicer.EventsServicer",
    "KernelsService": "perijove_kernels.servicer.KernelsServicer",
    "KernelspecsService": "perijove_kernels.servicer.KernelspecsServicer",
    "ExecutionService": "perijove_runner.execution.servicer.ExecutionServicer",
    "JoiningService": "perijove_kernels.joining.servicer.JoiningServicer",
    "RunnersService": "perijove_kernels.servicer.RunnersServicer",
    "RunnerService": "perijove_runner.servicer.RunnerServicer",
    "TerminalsService": "perijove_runner.terminals.servicer.TerminalsServicer",
}
"""`ChannelsService` has no servicer class: it passes bytes, and is tested on the wire."""


@pytest.mark.parametrize(
    "service",
    [service for service in SERVICES if service.name != "ChannelsService"],
    ids=lambda service: service.name,
)
def test_every_rpc_has_a_method_of_its_own(service: ServiceDescriptor) -> None:
    module, _, name = SERVED_BY[service.name].rpartition(".")
    servicer = getattr(importlib.import_module(module), name)
    own = {
        name for cls in servicer.__mro__ if "_pb2_grpc" not in cls.__module__ for name in vars(cls)
    }
    assert {method.name for method in service.methods} - own == set()


def test_every_service_of_the_contract_is_looked_at() -> None:
    assert {service.name for service in SERVICES} == {*SERVED_BY, "ChannelsService"}
