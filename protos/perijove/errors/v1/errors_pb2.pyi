from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_BAD_PATH: _ClassVar[ErrorReason]
    ERROR_REASON_BAD_TYPE: _ClassVar[ErrorReason]
    ERROR_REASON_BAD_FORMAT: _ClassVar[ErrorReason]
    ERROR_REASON_UNREADABLE_NOTEBOOK: _ClassVar[ErrorReason]
    ERROR_REASON_NO_SUCH_ENTRY: _ClassVar[ErrorReason]
    ERROR_REASON_ENTRY_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_DIRECTORY_NOT_EMPTY: _ClassVar[ErrorReason]
    ERROR_REASON_NO_PERMISSION: _ClassVar[ErrorReason]
    ERROR_REASON_STORAGE_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_NO_SUCH_CHECKPOINT: _ClassVar[ErrorReason]
    ERROR_REASON_NO_SUCH_DOCUMENT: _ClassVar[ErrorReason]
    ERROR_REASON_NO_SUCH_KERNEL: _ClassVar[ErrorReason]
    ERROR_REASON_NO_SUCH_KERNELSPEC: _ClassVar[ErrorReason]
    ERROR_REASON_KERNEL_START_FAILED: _ClassVar[ErrorReason]
    ERROR_REASON_NO_CAPACITY: _ClassVar[ErrorReason]
    ERROR_REASON_RUNNER_UNREACHABLE: _ClassVar[ErrorReason]
    ERROR_REASON_NO_SUCH_SESSION: _ClassVar[ErrorReason]
    ERROR_REASON_SESSION_KERNEL_GONE: _ClassVar[ErrorReason]
    ERROR_REASON_STATE_UNREACHABLE: _ClassVar[ErrorReason]
    ERROR_REASON_STREAM_REPLACED: _ClassVar[ErrorReason]
    ERROR_REASON_NO_CREDENTIAL: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_ALLOWED: _ClassVar[ErrorReason]
    ERROR_REASON_LIMIT_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_VERSION_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_ID_IN_USE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_BAD_PATH: ErrorReason
ERROR_REASON_BAD_TYPE: ErrorReason
ERROR_REASON_BAD_FORMAT: ErrorReason
ERROR_REASON_UNREADABLE_NOTEBOOK: ErrorReason
ERROR_REASON_NO_SUCH_ENTRY: ErrorReason
ERROR_REASON_ENTRY_EXISTS: ErrorReason
ERROR_REASON_DIRECTORY_NOT_EMPTY: ErrorReason
ERROR_REASON_NO_PERMISSION: ErrorReason
ERROR_REASON_STORAGE_FULL: ErrorReason
ERROR_REASON_NO_SUCH_CHECKPOINT: ErrorReason
ERROR_REASON_NO_SUCH_DOCUMENT: ErrorReason
ERROR_REASON_NO_SUCH_KERNEL: ErrorReason
ERROR_REASON_NO_SUCH_KERNELSPEC: ErrorReason
ERROR_REASON_KERNEL_START_FAILED: ErrorReason
ERROR_REASON_NO_CAPACITY: ErrorReason
ERROR_REASON_RUNNER_UNREACHABLE: ErrorReason
ERROR_REASON_NO_SUCH_SESSION: ErrorReason
ERROR_REASON_SESSION_KERNEL_GONE: ErrorReason
ERROR_REASON_STATE_UNREACHABLE: ErrorReason
ERROR_REASON_STREAM_REPLACED: ErrorReason
ERROR_REASON_NO_CREDENTIAL: ErrorReason
ERROR_REASON_NOT_ALLOWED: ErrorReason
ERROR_REASON_LIMIT_EXCEEDED: ErrorReason
ERROR_REASON_VERSION_MISMATCH: ErrorReason
ERROR_REASON_ID_IN_USE: ErrorReason
