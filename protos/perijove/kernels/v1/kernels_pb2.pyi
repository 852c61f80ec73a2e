import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExecutionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_STATE_UNSPECIFIED: _ClassVar[ExecutionState]
    EXECUTION_STATE_STARTING: _ClassVar[ExecutionState]
    EXECUTION_STATE_IDLE: _ClassVar[ExecutionState]
    EXECUTION_STATE_BUSY: _ClassVar[ExecutionState]
    EXECUTION_STATE_RESTARTING: _ClassVar[ExecutionState]
    EXECUTION_STATE_DEAD: _ClassVar[ExecutionState]

class ExitCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXIT_CAUSE_UNSPECIFIED: _ClassVar[ExitCause]
    EXIT_CAUSE_EXITED: _ClassVar[ExitCause]
    EXIT_CAUSE_SIGNALED: _ClassVar[ExitCause]
    EXIT_CAUSE_OUT_OF_MEMORY: _ClassVar[ExitCause]
    EXIT_CAUSE_SHUTDOWN: _ClassVar[ExitCause]
    EXIT_CAUSE_RESTARTED: _ClassVar[ExitCause]
    EXIT_CAUSE_CULLED: _ClassVar[ExitCause]
    EXIT_CAUSE_RUNNER_LOST: _ClassVar[ExitCause]
    EXIT_CAUSE_RUNNER_STOPPED: _ClassVar[ExitCause]
    EXIT_CAUSE_START_FAILED: _ClassVar[ExitCause]
    EXIT_CAUSE_RUNNER_DRAINED: _ClassVar[ExitCause]
EXECUTION_STATE_UNSPECIFIED: ExecutionState
EXECUTION_STATE_STARTING: ExecutionState
EXECUTION_STATE_IDLE: ExecutionState
EXECUTION_STATE_BUSY: ExecutionState
EXECUTION_STATE_RESTARTING: ExecutionState
EXECUTION_STATE_DEAD: ExecutionState
EXIT_CAUSE_UNSPECIFIED: ExitCause
EXIT_CAUSE_EXITED: ExitCause
EXIT_CAUSE_SIGNALED: ExitCause
EXIT_CAUSE_OUT_OF_MEMORY: ExitCause
EXIT_CAUSE_SHUTDOWN: ExitCause
EXIT_CAUSE_RESTARTED: ExitCause
EXIT_CAUSE_CULLED: ExitCause
EXIT_CAUSE_RUNNER_LOST: ExitCause
EXIT_CAUSE_RUNNER_STOPPED: ExitCause
EXIT_CAUSE_START_FAILED: ExitCause
EXIT_CAUSE_RUNNER_DRAINED: ExitCause

class Kernel(_message.Message):
    __slots__ = ("kernel_id", "kernelspec_name", "execution_state", "last_activity_time", "connection_count", "epoch", "create_time", "labels", "runner_id", "runner_address", "last_exit", "revision", "owner")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    KERNELSPEC_NAME_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STATE_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTIVITY_TIME_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    RUNNER_ID_FIELD_NUMBER: _ClassVar[int]
    RUNNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LAST_EXIT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    kernelspec_name: str
    execution_state: ExecutionState
    last_activity_time: _timestamp_pb2.Timestamp
    connection_count: int
    epoch: int
    create_time: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    runner_id: str
    runner_address: str
    last_exit: KernelExit
    revision: int
    owner: str
    def __init__(self, kernel_id: _Optional[str] = ..., kernelspec_name: _Optional[str] = ..., execution_state: _Optional[_Union[ExecutionState, str]] = ..., last_activity_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., connection_count: _Optional[int] = ..., epoch: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., runner_id: _Optional[str] = ..., runner_address: _Optional[str] = ..., last_exit: _Optional[_Union[KernelExit, _Mapping]] = ..., revision: _Optional[int] = ..., owner: _Optional[str] = ...) -> None: ...

class KernelExit(_message.Message):
    __slots__ = ("cause", "exit_code", "signal", "message", "exit_time", "output", "requested_by")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EXIT_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    cause: ExitCause
    exit_code: int
    signal: int
    message: str
    exit_time: _timestamp_pb2.Timestamp
    output: str
    requested_by: str
    def __init__(self, cause: _Optional[_Union[ExitCause, str]] = ..., exit_code: _Optional[int] = ..., signal: _Optional[int] = ..., message: _Optional[str] = ..., exit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., output: _Optional[str] = ..., requested_by: _Optional[str] = ...) -> None: ...

class StartKernelRequest(_message.Message):
    __slots__ = ("kernel_id", "kernelspec_name", "working_directory", "environment", "labels", "runner_labels", "wait")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class RunnerLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    KERNELSPEC_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKING_DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    RUNNER_LABELS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    kernelspec_name: str
    working_directory: str
    environment: _containers.ScalarMap[str, str]
    labels: _containers.ScalarMap[str, str]
    runner_labels: _containers.ScalarMap[str, str]
    wait: _duration_pb2.Duration
    def __init__(self, kernel_id: _Optional[str] = ..., kernelspec_name: _Optional[str] = ..., working_directory: _Optional[str] = ..., environment: _Optional[_Mapping[str, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., runner_labels: _Optional[_Mapping[str, str]] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StartKernelResponse(_message.Message):
    __slots__ = ("kernel", "created")
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    kernel: Kernel
    created: bool
    def __init__(self, kernel: _Optional[_Union[Kernel, _Mapping]] = ..., created: _Optional[bool] = ...) -> None: ...

class GetKernelRequest(_message.Message):
    __slots__ = ("kernel_id", "show_ended")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    SHOW_ENDED_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    show_ended: bool
    def __init__(self, kernel_id: _Optional[str] = ..., show_ended: _Optional[bool] = ...) -> None: ...

class GetKernelResponse(_message.Message):
    __slots__ = ("kernel",)
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    kernel: Kernel
    def __init__(self, kernel: _Optional[_Union[Kernel, _Mapping]] = ...) -> None: ...

class ListKernelsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListKernelsResponse(_message.Message):
    __slots__ = ("kernels", "next_page_token", "incomplete", "ended_kernel_ids", "position")
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    ENDED_KERNEL_IDS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    kernels: _containers.RepeatedCompositeFieldContainer[Kernel]
    next_page_token: str
    incomplete: bool
    ended_kernel_ids: _containers.RepeatedScalarFieldContainer[str]
    position: FeedPosition
    def __init__(self, kernels: _Optional[_Iterable[_Union[Kernel, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., incomplete: _Optional[bool] = ..., ended_kernel_ids: _Optional[_Iterable[str]] = ..., position: _Optional[_Union[FeedPosition, _Mapping]] = ...) -> None: ...

class FeedPosition(_message.Message):
    __slots__ = ("feed_id", "number")
    FEED_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    feed_id: str
    number: int
    def __init__(self, feed_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class WatchKernelsRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: FeedPosition
    def __init__(self, after: _Optional[_Union[FeedPosition, _Mapping]] = ...) -> None: ...

class WatchKernelsResponse(_message.Message):
    __slots__ = ("resync", "kernels", "ended_kernel_ids", "synced", "position", "incomplete")
    RESYNC_FIELD_NUMBER: _ClassVar[int]
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    ENDED_KERNEL_IDS_FIELD_NUMBER: _ClassVar[int]
    SYNCED_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    resync: bool
    kernels: _containers.RepeatedCompositeFieldContainer[Kernel]
    ended_kernel_ids: _containers.RepeatedScalarFieldContainer[str]
    synced: bool
    position: FeedPosition
    incomplete: bool
    def __init__(self, resync: _Optional[bool] = ..., kernels: _Optional[_Iterable[_Union[Kernel, _Mapping]]] = ..., ended_kernel_ids: _Optional[_Iterable[str]] = ..., synced: _Optional[bool] = ..., position: _Optional[_Union[FeedPosition, _Mapping]] = ..., incomplete: _Optional[bool] = ...) -> None: ...

class UpdateKernelRequest(_message.Message):
    __slots__ = ("kernel_id", "labels", "environment", "update_mask")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    labels: _containers.ScalarMap[str, str]
    environment: _containers.ScalarMap[str, str]
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, kernel_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., environment: _Optional[_Mapping[str, str]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateKernelResponse(_message.Message):
    __slots__ = ("kernel",)
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    kernel: Kernel
    def __init__(self, kernel: _Optional[_Union[Kernel, _Mapping]] = ...) -> None: ...

class InterruptKernelRequest(_message.Message):
    __slots__ = ("kernel_id",)
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    def __init__(self, kernel_id: _Optional[str] = ...) -> None: ...

class InterruptKernelResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RestartKernelRequest(_message.Message):
    __slots__ = ("kernel_id", "requested_by")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    requested_by: str
    def __init__(self, kernel_id: _Optional[str] = ..., requested_by: _Optional[str] = ...) -> None: ...

class RestartKernelResponse(_message.Message):
    __slots__ = ("kernel",)
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    kernel: Kernel
    def __init__(self, kernel: _Optional[_Union[Kernel, _Mapping]] = ...) -> None: ...

class ShutdownKernelRequest(_message.Message):
    __slots__ = ("kernel_id", "requested_by")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    requested_by: str
    def __init__(self, kernel_id: _Optional[str] = ..., requested_by: _Optional[str] = ...) -> None: ...

class ShutdownKernelResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
