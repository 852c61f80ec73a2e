import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Exporter(_message.Message):
    __slots__ = ("name", "output_mime_type")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    output_mime_type: str
    def __init__(self, name: _Optional[str] = ..., output_mime_type: _Optional[str] = ...) -> None: ...

class Conversion(_message.Message):
    __slots__ = ("mime_type", "file_name", "is_archive", "size_bytes", "update_time")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    IS_ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    file_name: str
    is_archive: bool
    size_bytes: int
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, mime_type: _Optional[str] = ..., file_name: _Optional[str] = ..., is_archive: _Optional[bool] = ..., size_bytes: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListExportersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListExportersResponse(_message.Message):
    __slots__ = ("exporters",)
    EXPORTERS_FIELD_NUMBER: _ClassVar[int]
    exporters: _containers.RepeatedCompositeFieldContainer[Exporter]
    def __init__(self, exporters: _Optional[_Iterable[_Union[Exporter, _Mapping]]] = ...) -> None: ...

class ConvertNotebookRequest(_message.Message):
    __slots__ = ("exporter", "path", "sanitize_html")
    EXPORTER_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SANITIZE_HTML_FIELD_NUMBER: _ClassVar[int]
    exporter: str
    path: str
    sanitize_html: bool
    def __init__(self, exporter: _Optional[str] = ..., path: _Optional[str] = ..., sanitize_html: _Optional[bool] = ...) -> None: ...

class ConvertNotebookResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: Conversion
    chunk: bytes
    def __init__(self, header: _Optional[_Union[Conversion, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ConvertContentHeader(_message.Message):
    __slots__ = ("exporter", "name")
    EXPORTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    exporter: str
    name: str
    def __init__(self, exporter: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ConvertContentRequest(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ConvertContentHeader
    chunk: bytes
    def __init__(self, header: _Optional[_Union[ConvertContentHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ConvertContentResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: Conversion
    chunk: bytes
    def __init__(self, header: _Optional[_Union[Conversion, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...
