import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EndCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    END_CAUSE_UNSPECIFIED: _ClassVar[EndCause]
    END_CAUSE_EXITED: _ClassVar[EndCause]
    END_CAUSE_SIGNALED: _ClassVar[EndCause]
    END_CAUSE_DELETED: _ClassVar[EndCause]
    END_CAUSE_CULLED: _ClassVar[EndCause]
    END_CAUSE_RUNNER_STOPPED: _ClassVar[EndCause]
END_CAUSE_UNSPECIFIED: EndCause
END_CAUSE_EXITED: EndCause
END_CAUSE_SIGNALED: EndCause
END_CAUSE_DELETED: EndCause
END_CAUSE_CULLED: EndCause
END_CAUSE_RUNNER_STOPPED: EndCause

class Terminal(_message.Message):
    __slots__ = ("name", "terminal_id", "create_time", "last_activity_time", "connection_count", "runner_id", "runner_address")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTIVITY_TIME_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    RUNNER_ID_FIELD_NUMBER: _ClassVar[int]
    RUNNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    name: str
    terminal_id: str
    create_time: _timestamp_pb2.Timestamp
    last_activity_time: _timestamp_pb2.Timestamp
    connection_count: int
    runner_id: str
    runner_address: str
    def __init__(self, name: _Optional[str] = ..., terminal_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_activity_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., connection_count: _Optional[int] = ..., runner_id: _Optional[str] = ..., runner_address: _Optional[str] = ...) -> None: ...

class Size(_message.Message):
    __slots__ = ("rows", "columns")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    rows: int
    columns: int
    def __init__(self, rows: _Optional[int] = ..., columns: _Optional[int] = ...) -> None: ...

class CreateTerminalRequest(_message.Message):
    __slots__ = ("name", "working_directories", "command", "environment", "size")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    WORKING_DIRECTORIES_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    name: str
    working_directories: _containers.RepeatedScalarFieldContainer[str]
    command: _containers.RepeatedScalarFieldContainer[str]
    environment: _containers.ScalarMap[str, str]
    size: Size
    def __init__(self, name: _Optional[str] = ..., working_directories: _Optional[_Iterable[str]] = ..., command: _Optional[_Iterable[str]] = ..., environment: _Optional[_Mapping[str, str]] = ..., size: _Optional[_Union[Size, _Mapping]] = ...) -> None: ...

class CreateTerminalResponse(_message.Message):
    __slots__ = ("terminal", "created")
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    terminal: Terminal
    created: bool
    def __init__(self, terminal: _Optional[_Union[Terminal, _Mapping]] = ..., created: _Optional[bool] = ...) -> None: ...

class GetTerminalRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetTerminalResponse(_message.Message):
    __slots__ = ("terminal",)
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    terminal: Terminal
    def __init__(self, terminal: _Optional[_Union[Terminal, _Mapping]] = ...) -> None: ...

class ListTerminalsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTerminalsResponse(_message.Message):
    __slots__ = ("terminals", "next_page_token")
    TERMINALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    terminals: _containers.RepeatedCompositeFieldContainer[Terminal]
    next_page_token: str
    def __init__(self, terminals: _Optional[_Iterable[_Union[Terminal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteTerminalRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteTerminalResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResumePoint(_message.Message):
    __slots__ = ("terminal_id", "position")
    TERMINAL_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    terminal_id: str
    position: int
    def __init__(self, terminal_id: _Optional[str] = ..., position: _Optional[int] = ...) -> None: ...

class Attach(_message.Message):
    __slots__ = ("name", "client_id", "resume", "size")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    name: str
    client_id: str
    resume: ResumePoint
    size: Size
    def __init__(self, name: _Optional[str] = ..., client_id: _Optional[str] = ..., resume: _Optional[_Union[ResumePoint, _Mapping]] = ..., size: _Optional[_Union[Size, _Mapping]] = ...) -> None: ...

class Attached(_message.Message):
    __slots__ = ("terminal", "resumed", "position", "input_taken")
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    INPUT_TAKEN_FIELD_NUMBER: _ClassVar[int]
    terminal: Terminal
    resumed: bool
    position: int
    input_taken: int
    def __init__(self, terminal: _Optional[_Union[Terminal, _Mapping]] = ..., resumed: _Optional[bool] = ..., position: _Optional[int] = ..., input_taken: _Optional[int] = ...) -> None: ...

class Input(_message.Message):
    __slots__ = ("position", "data")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    position: int
    data: bytes
    def __init__(self, position: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("position", "data")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    position: int
    data: bytes
    def __init__(self, position: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("first_position", "next_position")
    FIRST_POSITION_FIELD_NUMBER: _ClassVar[int]
    NEXT_POSITION_FIELD_NUMBER: _ClassVar[int]
    first_position: int
    next_position: int
    def __init__(self, first_position: _Optional[int] = ..., next_position: _Optional[int] = ...) -> None: ...

class Ended(_message.Message):
    __slots__ = ("cause", "exit_code", "signal", "message")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    cause: EndCause
    exit_code: int
    signal: int
    message: str
    def __init__(self, cause: _Optional[_Union[EndCause, str]] = ..., exit_code: _Optional[int] = ..., signal: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class AttachRequest(_message.Message):
    __slots__ = ("attach", "input", "resize")
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    RESIZE_FIELD_NUMBER: _ClassVar[int]
    attach: Attach
    input: Input
    resize: Size
    def __init__(self, attach: _Optional[_Union[Attach, _Mapping]] = ..., input: _Optional[_Union[Input, _Mapping]] = ..., resize: _Optional[_Union[Size, _Mapping]] = ...) -> None: ...

class AttachResponse(_message.Message):
    __slots__ = ("attached", "output", "gap", "ended", "input_taken")
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    INPUT_TAKEN_FIELD_NUMBER: _ClassVar[int]
    attached: Attached
    output: Output
    gap: Gap
    ended: Ended
    input_taken: int
    def __init__(self, attached: _Optional[_Union[Attached, _Mapping]] = ..., output: _Optional[_Union[Output, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., ended: _Optional[_Union[Ended, _Mapping]] = ..., input_taken: _Optional[int] = ...) -> None: ...
