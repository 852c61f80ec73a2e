import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from perijove.kernels.v1 import kernels_pb2 as _kernels_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("schema_id", "version", "data", "timestamp")
    SCHEMA_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    schema_id: str
    version: str
    data: bytes
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, schema_id: _Optional[str] = ..., version: _Optional[str] = ..., data: _Optional[bytes] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EventSchema(_message.Message):
    __slots__ = ("schema_id", "version", "title", "description", "document")
    SCHEMA_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    schema_id: str
    version: str
    title: str
    description: str
    document: bytes
    def __init__(self, schema_id: _Optional[str] = ..., version: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., document: _Optional[bytes] = ...) -> None: ...

class PublishEventsRequest(_message.Message):
    __slots__ = ("events", "request_id")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    request_id: str
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class PublishEventsResponse(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: _kernels_pb2.FeedPosition
    def __init__(self, position: _Optional[_Union[_kernels_pb2.FeedPosition, _Mapping]] = ...) -> None: ...

class SubscribeEventsRequest(_message.Message):
    __slots__ = ("after", "schema_ids")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_IDS_FIELD_NUMBER: _ClassVar[int]
    after: _kernels_pb2.FeedPosition
    schema_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, after: _Optional[_Union[_kernels_pb2.FeedPosition, _Mapping]] = ..., schema_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SubscribeEventsResponse(_message.Message):
    __slots__ = ("gap", "events", "position")
    GAP_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    gap: bool
    events: _containers.RepeatedCompositeFieldContainer[Event]
    position: _kernels_pb2.FeedPosition
    def __init__(self, gap: _Optional[bool] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., position: _Optional[_Union[_kernels_pb2.FeedPosition, _Mapping]] = ...) -> None: ...

class ListEventSchemasRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEventSchemasResponse(_message.Message):
    __slots__ = ("schemas", "next_page_token")
    SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    schemas: _containers.RepeatedCompositeFieldContainer[EventSchema]
    next_page_token: str
    def __init__(self, schemas: _Optional[_Iterable[_Union[EventSchema, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetEventSchemaRequest(_message.Message):
    __slots__ = ("schema_id",)
    SCHEMA_ID_FIELD_NUMBER: _ClassVar[int]
    schema_id: str
    def __init__(self, schema_id: _Optional[str] = ...) -> None: ...

class GetEventSchemaResponse(_message.Message):
    __slots__ = ("schema",)
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    schema: EventSchema
    def __init__(self, schema: _Optional[_Union[EventSchema, _Mapping]] = ...) -> None: ...
