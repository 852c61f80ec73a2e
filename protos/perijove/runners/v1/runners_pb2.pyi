from perijove.kernels.v1 import kernels_pb2 as _kernels_pb2
from perijove.kernels.v1 import kernelspecs_pb2 as _kernelspecs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Runner(_message.Message):
    __slots__ = ("runner_id", "address", "capacity", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RUNNER_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    runner_id: str
    address: str
    capacity: int
    labels: _containers.ScalarMap[str, str]
    def __init__(self, runner_id: _Optional[str] = ..., address: _Optional[str] = ..., capacity: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("runner", "kernelspecs", "kernels", "revision")
    RUNNER_FIELD_NUMBER: _ClassVar[int]
    KERNELSPECS_FIELD_NUMBER: _ClassVar[int]
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    runner: Runner
    kernelspecs: _containers.RepeatedCompositeFieldContainer[_kernelspecs_pb2.Kernelspec]
    kernels: _containers.RepeatedCompositeFieldContainer[_kernels_pb2.Kernel]
    revision: int
    def __init__(self, runner: _Optional[_Union[Runner, _Mapping]] = ..., kernelspecs: _Optional[_Iterable[_Union[_kernelspecs_pb2.Kernelspec, _Mapping]]] = ..., kernels: _Optional[_Iterable[_Union[_kernels_pb2.Kernel, _Mapping]]] = ..., revision: _Optional[int] = ...) -> None: ...

class KernelspecsChanged(_message.Message):
    __slots__ = ("kernelspecs",)
    KERNELSPECS_FIELD_NUMBER: _ClassVar[int]
    kernelspecs: _containers.RepeatedCompositeFieldContainer[_kernelspecs_pb2.Kernelspec]
    def __init__(self, kernelspecs: _Optional[_Iterable[_Union[_kernelspecs_pb2.Kernelspec, _Mapping]]] = ...) -> None: ...

class KernelsChanged(_message.Message):
    __slots__ = ("kernels", "gone_kernel_ids", "revision")
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    GONE_KERNEL_IDS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    kernels: _containers.RepeatedCompositeFieldContainer[_kernels_pb2.Kernel]
    gone_kernel_ids: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    def __init__(self, kernels: _Optional[_Iterable[_Union[_kernels_pb2.Kernel, _Mapping]]] = ..., gone_kernel_ids: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AnnounceRequest(_message.Message):
    __slots__ = ("hello", "kernels_changed", "kernelspecs_changed", "heartbeat")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    KERNELS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    KERNELSPECS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    kernels_changed: KernelsChanged
    kernelspecs_changed: KernelspecsChanged
    heartbeat: Heartbeat
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., kernels_changed: _Optional[_Union[KernelsChanged, _Mapping]] = ..., kernelspecs_changed: _Optional[_Union[KernelspecsChanged, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class AnnounceResponse(_message.Message):
    __slots__ = ("registered",)
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    registered: Registered
    def __init__(self, registered: _Optional[_Union[Registered, _Mapping]] = ...) -> None: ...

class Registered(_message.Message):
    __slots__ = ("lost_after_s",)
    LOST_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    lost_after_s: float
    def __init__(self, lost_after_s: _Optional[float] = ...) -> None: ...
