import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from perijove.kernels.v1 import kernels_pb2 as _kernels_pb2
from perijove.kernels.v1 import kernelspecs_pb2 as _kernelspecs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunnerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUNNER_STATE_UNSPECIFIED: _ClassVar[RunnerState]
    RUNNER_STATE_LIVE: _ClassVar[RunnerState]
    RUNNER_STATE_DRAINING: _ClassVar[RunnerState]
    RUNNER_STATE_LOST: _ClassVar[RunnerState]
RUNNER_STATE_UNSPECIFIED: RunnerState
RUNNER_STATE_LIVE: RunnerState
RUNNER_STATE_DRAINING: RunnerState
RUNNER_STATE_LOST: RunnerState

class Runner(_message.Message):
    __slots__ = ("runner_id", "address", "capacity", "labels", "drain")
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
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    runner_id: str
    address: str
    capacity: int
    labels: _containers.ScalarMap[str, str]
    drain: Drain
    def __init__(self, runner_id: _Optional[str] = ..., address: _Optional[str] = ..., capacity: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("reason", "begin_time", "deadline", "requested_by")
    REASON_FIELD_NUMBER: _ClassVar[int]
    BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    reason: str
    begin_time: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    requested_by: str
    def __init__(self, reason: _Optional[str] = ..., begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., requested_by: _Optional[str] = ...) -> None: ...

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

class RunnerChanged(_message.Message):
    __slots__ = ("runner",)
    RUNNER_FIELD_NUMBER: _ClassVar[int]
    runner: Runner
    def __init__(self, runner: _Optional[_Union[Runner, _Mapping]] = ...) -> None: ...

class Goodbye(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AnnounceRequest(_message.Message):
    __slots__ = ("hello", "kernels_changed", "kernelspecs_changed", "heartbeat", "runner_changed", "goodbye")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    KERNELS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    KERNELSPECS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    RUNNER_CHANGED_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    kernels_changed: KernelsChanged
    kernelspecs_changed: KernelspecsChanged
    heartbeat: Heartbeat
    runner_changed: RunnerChanged
    goodbye: Goodbye
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., kernels_changed: _Optional[_Union[KernelsChanged, _Mapping]] = ..., kernelspecs_changed: _Optional[_Union[KernelspecsChanged, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., runner_changed: _Optional[_Union[RunnerChanged, _Mapping]] = ..., goodbye: _Optional[_Union[Goodbye, _Mapping]] = ...) -> None: ...

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

class ListRunnersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRunnersResponse(_message.Message):
    __slots__ = ("runners", "next_page_token", "waiting_count")
    RUNNERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    runners: _containers.RepeatedCompositeFieldContainer[RunnerStatus]
    next_page_token: str
    waiting_count: int
    def __init__(self, runners: _Optional[_Iterable[_Union[RunnerStatus, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., waiting_count: _Optional[int] = ...) -> None: ...

class RunnerStatus(_message.Message):
    __slots__ = ("runner", "state", "kernelspec_names", "kernel_count", "busy_count", "reserved_count", "silence")
    RUNNER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KERNELSPEC_NAMES_FIELD_NUMBER: _ClassVar[int]
    KERNEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    BUSY_COUNT_FIELD_NUMBER: _ClassVar[int]
    RESERVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    runner: Runner
    state: RunnerState
    kernelspec_names: _containers.RepeatedScalarFieldContainer[str]
    kernel_count: int
    busy_count: int
    reserved_count: int
    silence: _duration_pb2.Duration
    def __init__(self, runner: _Optional[_Union[Runner, _Mapping]] = ..., state: _Optional[_Union[RunnerState, str]] = ..., kernelspec_names: _Optional[_Iterable[str]] = ..., kernel_count: _Optional[int] = ..., busy_count: _Optional[int] = ..., reserved_count: _Optional[int] = ..., silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class DrainRunnerRequest(_message.Message):
    __slots__ = ("runner_id", "within", "reason")
    RUNNER_ID_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    runner_id: str
    within: _duration_pb2.Duration
    reason: str
    def __init__(self, runner_id: _Optional[str] = ..., within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class DrainRunnerResponse(_message.Message):
    __slots__ = ("runner",)
    RUNNER_FIELD_NUMBER: _ClassVar[int]
    runner: Runner
    def __init__(self, runner: _Optional[_Union[Runner, _Mapping]] = ...) -> None: ...

class UndrainRunnerRequest(_message.Message):
    __slots__ = ("runner_id",)
    RUNNER_ID_FIELD_NUMBER: _ClassVar[int]
    runner_id: str
    def __init__(self, runner_id: _Optional[str] = ...) -> None: ...

class UndrainRunnerResponse(_message.Message):
    __slots__ = ("runner",)
    RUNNER_FIELD_NUMBER: _ClassVar[int]
    runner: Runner
    def __init__(self, runner: _Optional[_Union[Runner, _Mapping]] = ...) -> None: ...
