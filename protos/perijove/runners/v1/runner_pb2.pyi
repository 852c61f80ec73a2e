import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from perijove.kernels.v1 import kernels_pb2 as _kernels_pb2
from perijove.runners.v1 import runners_pb2 as _runners_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LaunchKernelRequest(_message.Message):
    __slots__ = ("kernel_id", "kernelspec_name", "working_directory", "environment", "labels", "owner")
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
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    KERNELSPEC_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKING_DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    kernelspec_name: str
    working_directory: str
    environment: _containers.ScalarMap[str, str]
    labels: _containers.ScalarMap[str, str]
    owner: str
    def __init__(self, kernel_id: _Optional[str] = ..., kernelspec_name: _Optional[str] = ..., working_directory: _Optional[str] = ..., environment: _Optional[_Mapping[str, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., owner: _Optional[str] = ...) -> None: ...

class LaunchKernelResponse(_message.Message):
    __slots__ = ("kernel", "created")
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    kernel: _kernels_pb2.Kernel
    created: bool
    def __init__(self, kernel: _Optional[_Union[_kernels_pb2.Kernel, _Mapping]] = ..., created: _Optional[bool] = ...) -> None: ...

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
    kernel: _kernels_pb2.Kernel
    def __init__(self, kernel: _Optional[_Union[_kernels_pb2.Kernel, _Mapping]] = ...) -> None: ...

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
    kernel: _kernels_pb2.Kernel
    def __init__(self, kernel: _Optional[_Union[_kernels_pb2.Kernel, _Mapping]] = ...) -> None: ...

class ShutdownKernelRequest(_message.Message):
    __slots__ = ("kernel_id", "requested_by")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    requested_by: str
    def __init__(self, kernel_id: _Optional[str] = ..., requested_by: _Optional[str] = ...) -> None: ...

class ShutdownKernelResponse(_message.Message):
    __slots__ = ("revision", "kernel")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    revision: int
    kernel: _kernels_pb2.Kernel
    def __init__(self, revision: _Optional[int] = ..., kernel: _Optional[_Union[_kernels_pb2.Kernel, _Mapping]] = ...) -> None: ...

class BeginDrainRequest(_message.Message):
    __slots__ = ("within", "reason", "requested_by")
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    within: _duration_pb2.Duration
    reason: str
    requested_by: str
    def __init__(self, within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., reason: _Optional[str] = ..., requested_by: _Optional[str] = ...) -> None: ...

class BeginDrainResponse(_message.Message):
    __slots__ = ("drain",)
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    drain: _runners_pb2.Drain
    def __init__(self, drain: _Optional[_Union[_runners_pb2.Drain, _Mapping]] = ...) -> None: ...

class EndDrainRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndDrainResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReadKernelspecResourceRequest(_message.Message):
    __slots__ = ("name", "resource")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    resource: str
    def __init__(self, name: _Optional[str] = ..., resource: _Optional[str] = ...) -> None: ...

class ReadKernelspecResourceResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...
