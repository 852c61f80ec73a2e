from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kernelspec(_message.Message):
    __slots__ = ("name", "display_name", "language", "argv", "environment", "interrupt_mode", "metadata", "resources", "protocol_version")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ARGV_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_MODE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    language: str
    argv: _containers.RepeatedScalarFieldContainer[str]
    environment: _containers.ScalarMap[str, str]
    interrupt_mode: str
    metadata: bytes
    resources: _containers.RepeatedScalarFieldContainer[str]
    protocol_version: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., language: _Optional[str] = ..., argv: _Optional[_Iterable[str]] = ..., environment: _Optional[_Mapping[str, str]] = ..., interrupt_mode: _Optional[str] = ..., metadata: _Optional[bytes] = ..., resources: _Optional[_Iterable[str]] = ..., protocol_version: _Optional[str] = ...) -> None: ...

class ListKernelspecsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListKernelspecsResponse(_message.Message):
    __slots__ = ("kernelspecs", "next_page_token", "default_kernelspec_name")
    KERNELSPECS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_KERNELSPEC_NAME_FIELD_NUMBER: _ClassVar[int]
    kernelspecs: _containers.RepeatedCompositeFieldContainer[Kernelspec]
    next_page_token: str
    default_kernelspec_name: str
    def __init__(self, kernelspecs: _Optional[_Iterable[_Union[Kernelspec, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., default_kernelspec_name: _Optional[str] = ...) -> None: ...

class GetKernelspecRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetKernelspecResponse(_message.Message):
    __slots__ = ("kernelspec",)
    KERNELSPEC_FIELD_NUMBER: _ClassVar[int]
    kernelspec: Kernelspec
    def __init__(self, kernelspec: _Optional[_Union[Kernelspec, _Mapping]] = ...) -> None: ...

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
