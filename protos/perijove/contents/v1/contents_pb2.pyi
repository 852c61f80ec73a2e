import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_TYPE_UNSPECIFIED: _ClassVar[ChangeType]
    CHANGE_TYPE_CREATED: _ClassVar[ChangeType]
    CHANGE_TYPE_MODIFIED: _ClassVar[ChangeType]
    CHANGE_TYPE_DELETED: _ClassVar[ChangeType]

class EntryType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTRY_TYPE_UNSPECIFIED: _ClassVar[EntryType]
    ENTRY_TYPE_FILE: _ClassVar[EntryType]
    ENTRY_TYPE_NOTEBOOK: _ClassVar[EntryType]
    ENTRY_TYPE_DIRECTORY: _ClassVar[EntryType]

class ContentFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTENT_FORMAT_UNSPECIFIED: _ClassVar[ContentFormat]
    CONTENT_FORMAT_TEXT: _ClassVar[ContentFormat]
    CONTENT_FORMAT_BINARY: _ClassVar[ContentFormat]
    CONTENT_FORMAT_NOTEBOOK: _ClassVar[ContentFormat]
    CONTENT_FORMAT_ENTRIES: _ClassVar[ContentFormat]
    CONTENT_FORMAT_MODEL: _ClassVar[ContentFormat]

class WritePart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WRITE_PART_UNSPECIFIED: _ClassVar[WritePart]
    WRITE_PART_WHOLE: _ClassVar[WritePart]
    WRITE_PART_FIRST: _ClassVar[WritePart]
    WRITE_PART_NEXT: _ClassVar[WritePart]
    WRITE_PART_LAST: _ClassVar[WritePart]
CHANGE_TYPE_UNSPECIFIED: ChangeType
CHANGE_TYPE_CREATED: ChangeType
CHANGE_TYPE_MODIFIED: ChangeType
CHANGE_TYPE_DELETED: ChangeType
ENTRY_TYPE_UNSPECIFIED: EntryType
ENTRY_TYPE_FILE: EntryType
ENTRY_TYPE_NOTEBOOK: EntryType
ENTRY_TYPE_DIRECTORY: EntryType
CONTENT_FORMAT_UNSPECIFIED: ContentFormat
CONTENT_FORMAT_TEXT: ContentFormat
CONTENT_FORMAT_BINARY: ContentFormat
CONTENT_FORMAT_NOTEBOOK: ContentFormat
CONTENT_FORMAT_ENTRIES: ContentFormat
CONTENT_FORMAT_MODEL: ContentFormat
WRITE_PART_UNSPECIFIED: WritePart
WRITE_PART_WHOLE: WritePart
WRITE_PART_FIRST: WritePart
WRITE_PART_NEXT: WritePart
WRITE_PART_LAST: WritePart

class Entry(_message.Message):
    __slots__ = ("path", "type", "size_bytes", "writable", "create_time", "update_time", "mime_type", "hash", "hash_algorithm")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    HASH_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    path: str
    type: EntryType
    size_bytes: int
    writable: bool
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    mime_type: str
    hash: str
    hash_algorithm: str
    def __init__(self, path: _Optional[str] = ..., type: _Optional[_Union[EntryType, str]] = ..., size_bytes: _Optional[int] = ..., writable: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., mime_type: _Optional[str] = ..., hash: _Optional[str] = ..., hash_algorithm: _Optional[str] = ...) -> None: ...

class GetEntryRequest(_message.Message):
    __slots__ = ("path", "type", "include_hash", "untold")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_HASH_FIELD_NUMBER: _ClassVar[int]
    UNTOLD_FIELD_NUMBER: _ClassVar[int]
    path: str
    type: EntryType
    include_hash: bool
    untold: bool
    def __init__(self, path: _Optional[str] = ..., type: _Optional[_Union[EntryType, str]] = ..., include_hash: _Optional[bool] = ..., untold: _Optional[bool] = ...) -> None: ...

class GetEntryResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: Entry
    def __init__(self, entry: _Optional[_Union[Entry, _Mapping]] = ...) -> None: ...

class ListEntriesRequest(_message.Message):
    __slots__ = ("path", "page_size", "page_token")
    PATH_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    path: str
    page_size: int
    page_token: str
    def __init__(self, path: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReadContentRequest(_message.Message):
    __slots__ = ("path", "type", "format", "include_hash")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_HASH_FIELD_NUMBER: _ClassVar[int]
    path: str
    type: EntryType
    format: ContentFormat
    include_hash: bool
    def __init__(self, path: _Optional[str] = ..., type: _Optional[_Union[EntryType, str]] = ..., format: _Optional[_Union[ContentFormat, str]] = ..., include_hash: _Optional[bool] = ...) -> None: ...

class ReadContentHeader(_message.Message):
    __slots__ = ("entry", "format", "validation_message", "size_bytes")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    entry: Entry
    format: ContentFormat
    validation_message: str
    size_bytes: int
    def __init__(self, entry: _Optional[_Union[Entry, _Mapping]] = ..., format: _Optional[_Union[ContentFormat, str]] = ..., validation_message: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ReadContentResponse(_message.Message):
    __slots__ = ("header", "chunk", "entries")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    header: ReadContentHeader
    chunk: bytes
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    def __init__(self, header: _Optional[_Union[ReadContentHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ..., entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ...) -> None: ...

class WriteContentHeader(_message.Message):
    __slots__ = ("path", "type", "format", "part", "if_hash", "if_exists", "include_hash", "size_bytes")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    IF_HASH_FIELD_NUMBER: _ClassVar[int]
    IF_EXISTS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    path: str
    type: EntryType
    format: ContentFormat
    part: WritePart
    if_hash: str
    if_exists: bool
    include_hash: bool
    size_bytes: int
    def __init__(self, path: _Optional[str] = ..., type: _Optional[_Union[EntryType, str]] = ..., format: _Optional[_Union[ContentFormat, str]] = ..., part: _Optional[_Union[WritePart, str]] = ..., if_hash: _Optional[str] = ..., if_exists: _Optional[bool] = ..., include_hash: _Optional[bool] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class WriteContentRequest(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: WriteContentHeader
    chunk: bytes
    def __init__(self, header: _Optional[_Union[WriteContentHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class WriteContentResponse(_message.Message):
    __slots__ = ("entry", "created", "validation_message")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    entry: Entry
    created: bool
    validation_message: str
    def __init__(self, entry: _Optional[_Union[Entry, _Mapping]] = ..., created: _Optional[bool] = ..., validation_message: _Optional[str] = ...) -> None: ...

class SaveContentRequest(_message.Message):
    __slots__ = ("header", "content")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    header: WriteContentHeader
    content: bytes
    def __init__(self, header: _Optional[_Union[WriteContentHeader, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class SaveContentResponse(_message.Message):
    __slots__ = ("entry", "created", "validation_message")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    entry: Entry
    created: bool
    validation_message: str
    def __init__(self, entry: _Optional[_Union[Entry, _Mapping]] = ..., created: _Optional[bool] = ..., validation_message: _Optional[str] = ...) -> None: ...

class CreateEntryRequest(_message.Message):
    __slots__ = ("directory", "type", "extension")
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    directory: str
    type: EntryType
    extension: str
    def __init__(self, directory: _Optional[str] = ..., type: _Optional[_Union[EntryType, str]] = ..., extension: _Optional[str] = ...) -> None: ...

class CreateEntryResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: Entry
    def __init__(self, entry: _Optional[_Union[Entry, _Mapping]] = ...) -> None: ...

class CopyEntryRequest(_message.Message):
    __slots__ = ("path", "target_path")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    target_path: str
    def __init__(self, path: _Optional[str] = ..., target_path: _Optional[str] = ...) -> None: ...

class CopyEntryResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: Entry
    def __init__(self, entry: _Optional[_Union[Entry, _Mapping]] = ...) -> None: ...

class RenameEntryRequest(_message.Message):
    __slots__ = ("path", "new_path", "if_hash")
    PATH_FIELD_NUMBER: _ClassVar[int]
    NEW_PATH_FIELD_NUMBER: _ClassVar[int]
    IF_HASH_FIELD_NUMBER: _ClassVar[int]
    path: str
    new_path: str
    if_hash: str
    def __init__(self, path: _Optional[str] = ..., new_path: _Optional[str] = ..., if_hash: _Optional[str] = ...) -> None: ...

class RenameEntryResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: Entry
    def __init__(self, entry: _Optional[_Union[Entry, _Mapping]] = ...) -> None: ...

class DeleteEntryRequest(_message.Message):
    __slots__ = ("path", "if_hash")
    PATH_FIELD_NUMBER: _ClassVar[int]
    IF_HASH_FIELD_NUMBER: _ClassVar[int]
    path: str
    if_hash: str
    def __init__(self, path: _Optional[str] = ..., if_hash: _Optional[str] = ...) -> None: ...

class DeleteEntryResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("checkpoint_id", "update_time")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, checkpoint_id: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateCheckpointRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class CreateCheckpointResponse(_message.Message):
    __slots__ = ("checkpoint",)
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    checkpoint: Checkpoint
    def __init__(self, checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ...) -> None: ...

class ListCheckpointsRequest(_message.Message):
    __slots__ = ("path", "page_size", "page_token")
    PATH_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    path: str
    page_size: int
    page_token: str
    def __init__(self, path: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCheckpointsResponse(_message.Message):
    __slots__ = ("checkpoints", "next_page_token")
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[Checkpoint]
    next_page_token: str
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[Checkpoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RestoreCheckpointRequest(_message.Message):
    __slots__ = ("path", "checkpoint_id", "if_hash")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    IF_HASH_FIELD_NUMBER: _ClassVar[int]
    path: str
    checkpoint_id: str
    if_hash: str
    def __init__(self, path: _Optional[str] = ..., checkpoint_id: _Optional[str] = ..., if_hash: _Optional[str] = ...) -> None: ...

class RestoreCheckpointResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteCheckpointRequest(_message.Message):
    __slots__ = ("path", "checkpoint_id")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    path: str
    checkpoint_id: str
    def __init__(self, path: _Optional[str] = ..., checkpoint_id: _Optional[str] = ...) -> None: ...

class DeleteCheckpointResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TrustNotebookRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class TrustNotebookResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchEntriesRequest(_message.Message):
    __slots__ = ("path", "after")
    PATH_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    path: str
    after: str
    def __init__(self, path: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class WatchEntriesResponse(_message.Message):
    __slots__ = ("resync", "changes", "position")
    RESYNC_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    resync: bool
    changes: _containers.RepeatedCompositeFieldContainer[EntryChange]
    position: str
    def __init__(self, resync: _Optional[bool] = ..., changes: _Optional[_Iterable[_Union[EntryChange, _Mapping]]] = ..., position: _Optional[str] = ...) -> None: ...

class EntryChange(_message.Message):
    __slots__ = ("type", "path")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    type: ChangeType
    path: str
    def __init__(self, type: _Optional[_Union[ChangeType, str]] = ..., path: _Optional[str] = ...) -> None: ...

class GetKernelPathRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class GetKernelPathResponse(_message.Message):
    __slots__ = ("working_directory", "document_location", "home_directory")
    WORKING_DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_LOCATION_FIELD_NUMBER: _ClassVar[int]
    HOME_DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    working_directory: str
    document_location: str
    home_directory: str
    def __init__(self, working_directory: _Optional[str] = ..., document_location: _Optional[str] = ..., home_directory: _Optional[str] = ...) -> None: ...
