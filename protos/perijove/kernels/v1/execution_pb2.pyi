import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from perijove.kernels.v1 import kernels_pb2 as _kernels_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamName(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_NAME_UNSPECIFIED: _ClassVar[StreamName]
    STREAM_NAME_STDOUT: _ClassVar[StreamName]
    STREAM_NAME_STDERR: _ClassVar[StreamName]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_OK: _ClassVar[Outcome]
    OUTCOME_ERROR: _ClassVar[Outcome]
    OUTCOME_ABORTED: _ClassVar[Outcome]
    OUTCOME_KERNEL_ENDED: _ClassVar[Outcome]
    OUTCOME_REPLY_LOST: _ClassVar[Outcome]

class Completeness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPLETENESS_UNSPECIFIED: _ClassVar[Completeness]
    COMPLETENESS_COMPLETE: _ClassVar[Completeness]
    COMPLETENESS_INCOMPLETE: _ClassVar[Completeness]
    COMPLETENESS_INVALID: _ClassVar[Completeness]
STREAM_NAME_UNSPECIFIED: StreamName
STREAM_NAME_STDOUT: StreamName
STREAM_NAME_STDERR: StreamName
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_OK: Outcome
OUTCOME_ERROR: Outcome
OUTCOME_ABORTED: Outcome
OUTCOME_KERNEL_ENDED: Outcome
OUTCOME_REPLY_LOST: Outcome
COMPLETENESS_UNSPECIFIED: Completeness
COMPLETENESS_COMPLETE: Completeness
COMPLETENESS_INCOMPLETE: Completeness
COMPLETENESS_INVALID: Completeness

class Execution(_message.Message):
    __slots__ = ("kernel_id", "request_id", "code", "silent", "store_history", "stop_on_error", "allow_stdin", "user_expressions", "subshell_id", "max_output_bytes", "time_limit", "after_position")
    class UserExpressionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    STORE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    STOP_ON_ERROR_FIELD_NUMBER: _ClassVar[int]
    ALLOW_STDIN_FIELD_NUMBER: _ClassVar[int]
    USER_EXPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    SUBSHELL_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    TIME_LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    request_id: str
    code: str
    silent: bool
    store_history: bool
    stop_on_error: bool
    allow_stdin: bool
    user_expressions: _containers.ScalarMap[str, str]
    subshell_id: str
    max_output_bytes: int
    time_limit: _duration_pb2.Duration
    after_position: int
    def __init__(self, kernel_id: _Optional[str] = ..., request_id: _Optional[str] = ..., code: _Optional[str] = ..., silent: _Optional[bool] = ..., store_history: _Optional[bool] = ..., stop_on_error: _Optional[bool] = ..., allow_stdin: _Optional[bool] = ..., user_expressions: _Optional[_Mapping[str, str]] = ..., subshell_id: _Optional[str] = ..., max_output_bytes: _Optional[int] = ..., time_limit: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., after_position: _Optional[int] = ...) -> None: ...

class InputAnswer(_message.Message):
    __slots__ = ("input_id", "value")
    INPUT_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    input_id: str
    value: str
    def __init__(self, input_id: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Interrupt(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExecuteRequest(_message.Message):
    __slots__ = ("execution", "input_answer", "interrupt")
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    INPUT_ANSWER_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    input_answer: InputAnswer
    interrupt: Interrupt
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ..., input_answer: _Optional[_Union[InputAnswer, _Mapping]] = ..., interrupt: _Optional[_Union[Interrupt, _Mapping]] = ...) -> None: ...

class ExecuteResponse(_message.Message):
    __slots__ = ("position", "accepted", "started", "stream", "display_data", "update_display_data", "clear_output", "result", "error", "input_request", "truncated", "gap", "finished")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_DATA_FIELD_NUMBER: _ClassVar[int]
    UPDATE_DISPLAY_DATA_FIELD_NUMBER: _ClassVar[int]
    CLEAR_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    INPUT_REQUEST_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    position: int
    accepted: Accepted
    started: Started
    stream: StreamOutput
    display_data: DisplayData
    update_display_data: DisplayData
    clear_output: ClearOutput
    result: ExecuteResult
    error: ExecutionError
    input_request: InputRequest
    truncated: Truncated
    gap: OutputGap
    finished: Finished
    def __init__(self, position: _Optional[int] = ..., accepted: _Optional[_Union[Accepted, _Mapping]] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., stream: _Optional[_Union[StreamOutput, _Mapping]] = ..., display_data: _Optional[_Union[DisplayData, _Mapping]] = ..., update_display_data: _Optional[_Union[DisplayData, _Mapping]] = ..., clear_output: _Optional[_Union[ClearOutput, _Mapping]] = ..., result: _Optional[_Union[ExecuteResult, _Mapping]] = ..., error: _Optional[_Union[ExecutionError, _Mapping]] = ..., input_request: _Optional[_Union[InputRequest, _Mapping]] = ..., truncated: _Optional[_Union[Truncated, _Mapping]] = ..., gap: _Optional[_Union[OutputGap, _Mapping]] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ...) -> None: ...

class Accepted(_message.Message):
    __slots__ = ("request_id", "created", "epoch")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    created: bool
    epoch: int
    def __init__(self, request_id: _Optional[str] = ..., created: _Optional[bool] = ..., epoch: _Optional[int] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("execution_count",)
    EXECUTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    execution_count: int
    def __init__(self, execution_count: _Optional[int] = ...) -> None: ...

class StreamOutput(_message.Message):
    __slots__ = ("name", "text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: StreamName
    text: str
    def __init__(self, name: _Optional[_Union[StreamName, str]] = ..., text: _Optional[str] = ...) -> None: ...

class MimeData(_message.Message):
    __slots__ = ("mime_type", "text", "binary", "json")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BINARY_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    text: str
    binary: bytes
    json: str
    def __init__(self, mime_type: _Optional[str] = ..., text: _Optional[str] = ..., binary: _Optional[bytes] = ..., json: _Optional[str] = ...) -> None: ...

class MimeBundle(_message.Message):
    __slots__ = ("data", "metadata_json")
    DATA_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    data: _containers.RepeatedCompositeFieldContainer[MimeData]
    metadata_json: str
    def __init__(self, data: _Optional[_Iterable[_Union[MimeData, _Mapping]]] = ..., metadata_json: _Optional[str] = ...) -> None: ...

class DisplayData(_message.Message):
    __slots__ = ("bundle", "display_id")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    bundle: MimeBundle
    display_id: str
    def __init__(self, bundle: _Optional[_Union[MimeBundle, _Mapping]] = ..., display_id: _Optional[str] = ...) -> None: ...

class ClearOutput(_message.Message):
    __slots__ = ("wait",)
    WAIT_FIELD_NUMBER: _ClassVar[int]
    wait: bool
    def __init__(self, wait: _Optional[bool] = ...) -> None: ...

class ExecuteResult(_message.Message):
    __slots__ = ("execution_count", "bundle")
    EXECUTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    execution_count: int
    bundle: MimeBundle
    def __init__(self, execution_count: _Optional[int] = ..., bundle: _Optional[_Union[MimeBundle, _Mapping]] = ...) -> None: ...

class ExecutionError(_message.Message):
    __slots__ = ("name", "value", "traceback")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    traceback: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., traceback: _Optional[_Iterable[str]] = ...) -> None: ...

class InputRequest(_message.Message):
    __slots__ = ("input_id", "prompt", "password")
    INPUT_ID_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    input_id: str
    prompt: str
    password: bool
    def __init__(self, input_id: _Optional[str] = ..., prompt: _Optional[str] = ..., password: _Optional[bool] = ...) -> None: ...

class Truncated(_message.Message):
    __slots__ = ("max_output_bytes",)
    MAX_OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    max_output_bytes: int
    def __init__(self, max_output_bytes: _Optional[int] = ...) -> None: ...

class OutputGap(_message.Message):
    __slots__ = ("message",)
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    def __init__(self, message: _Optional[str] = ...) -> None: ...

class ExpressionResult(_message.Message):
    __slots__ = ("bundle", "error")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    bundle: MimeBundle
    error: ExecutionError
    def __init__(self, bundle: _Optional[_Union[MimeBundle, _Mapping]] = ..., error: _Optional[_Union[ExecutionError, _Mapping]] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ("outcome", "execution_count", "error", "kernel_exit", "user_expressions", "timed_out", "output_bytes", "incomplete", "payloads_json")
    class UserExpressionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ExpressionResult
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ExpressionResult, _Mapping]] = ...) -> None: ...
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    KERNEL_EXIT_FIELD_NUMBER: _ClassVar[int]
    USER_EXPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    PAYLOADS_JSON_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    execution_count: int
    error: ExecutionError
    kernel_exit: _kernels_pb2.KernelExit
    user_expressions: _containers.MessageMap[str, ExpressionResult]
    timed_out: bool
    output_bytes: int
    incomplete: bool
    payloads_json: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., execution_count: _Optional[int] = ..., error: _Optional[_Union[ExecutionError, _Mapping]] = ..., kernel_exit: _Optional[_Union[_kernels_pb2.KernelExit, _Mapping]] = ..., user_expressions: _Optional[_Mapping[str, ExpressionResult]] = ..., timed_out: _Optional[bool] = ..., output_bytes: _Optional[int] = ..., incomplete: _Optional[bool] = ..., payloads_json: _Optional[_Iterable[str]] = ...) -> None: ...

class CompleteRequest(_message.Message):
    __slots__ = ("kernel_id", "code", "cursor_pos", "subshell_id")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_POS_FIELD_NUMBER: _ClassVar[int]
    SUBSHELL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    code: str
    cursor_pos: int
    subshell_id: str
    def __init__(self, kernel_id: _Optional[str] = ..., code: _Optional[str] = ..., cursor_pos: _Optional[int] = ..., subshell_id: _Optional[str] = ...) -> None: ...

class CompleteResponse(_message.Message):
    __slots__ = ("matches", "cursor_start", "cursor_end", "metadata_json")
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_START_FIELD_NUMBER: _ClassVar[int]
    CURSOR_END_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedScalarFieldContainer[str]
    cursor_start: int
    cursor_end: int
    metadata_json: str
    def __init__(self, matches: _Optional[_Iterable[str]] = ..., cursor_start: _Optional[int] = ..., cursor_end: _Optional[int] = ..., metadata_json: _Optional[str] = ...) -> None: ...

class InspectRequest(_message.Message):
    __slots__ = ("kernel_id", "code", "cursor_pos", "detail_level", "subshell_id")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_POS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_LEVEL_FIELD_NUMBER: _ClassVar[int]
    SUBSHELL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    code: str
    cursor_pos: int
    detail_level: int
    subshell_id: str
    def __init__(self, kernel_id: _Optional[str] = ..., code: _Optional[str] = ..., cursor_pos: _Optional[int] = ..., detail_level: _Optional[int] = ..., subshell_id: _Optional[str] = ...) -> None: ...

class InspectResponse(_message.Message):
    __slots__ = ("found", "bundle")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    found: bool
    bundle: MimeBundle
    def __init__(self, found: _Optional[bool] = ..., bundle: _Optional[_Union[MimeBundle, _Mapping]] = ...) -> None: ...

class HistoryRequest(_message.Message):
    __slots__ = ("kernel_id", "tail", "range", "search", "output", "transformed", "subshell_id")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    TRANSFORMED_FIELD_NUMBER: _ClassVar[int]
    SUBSHELL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    tail: HistoryTail
    range: HistoryRange
    search: HistorySearch
    output: bool
    transformed: bool
    subshell_id: str
    def __init__(self, kernel_id: _Optional[str] = ..., tail: _Optional[_Union[HistoryTail, _Mapping]] = ..., range: _Optional[_Union[HistoryRange, _Mapping]] = ..., search: _Optional[_Union[HistorySearch, _Mapping]] = ..., output: _Optional[bool] = ..., transformed: _Optional[bool] = ..., subshell_id: _Optional[str] = ...) -> None: ...

class HistoryTail(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class HistoryRange(_message.Message):
    __slots__ = ("session", "start", "stop")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    session: int
    start: int
    stop: int
    def __init__(self, session: _Optional[int] = ..., start: _Optional[int] = ..., stop: _Optional[int] = ...) -> None: ...

class HistorySearch(_message.Message):
    __slots__ = ("pattern", "count", "unique")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    count: int
    unique: bool
    def __init__(self, pattern: _Optional[str] = ..., count: _Optional[int] = ..., unique: _Optional[bool] = ...) -> None: ...

class HistoryResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[HistoryEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[HistoryEntry, _Mapping]]] = ...) -> None: ...

class HistoryEntry(_message.Message):
    __slots__ = ("session", "line_number", "input", "output")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    LINE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    session: int
    line_number: int
    input: str
    output: str
    def __init__(self, session: _Optional[int] = ..., line_number: _Optional[int] = ..., input: _Optional[str] = ..., output: _Optional[str] = ...) -> None: ...

class IsCompleteRequest(_message.Message):
    __slots__ = ("kernel_id", "code", "subshell_id")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUBSHELL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    code: str
    subshell_id: str
    def __init__(self, kernel_id: _Optional[str] = ..., code: _Optional[str] = ..., subshell_id: _Optional[str] = ...) -> None: ...

class IsCompleteResponse(_message.Message):
    __slots__ = ("completeness", "indent")
    COMPLETENESS_FIELD_NUMBER: _ClassVar[int]
    INDENT_FIELD_NUMBER: _ClassVar[int]
    completeness: Completeness
    indent: str
    def __init__(self, completeness: _Optional[_Union[Completeness, str]] = ..., indent: _Optional[str] = ...) -> None: ...

class CreateSubshellRequest(_message.Message):
    __slots__ = ("kernel_id",)
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    def __init__(self, kernel_id: _Optional[str] = ...) -> None: ...

class CreateSubshellResponse(_message.Message):
    __slots__ = ("subshell_id",)
    SUBSHELL_ID_FIELD_NUMBER: _ClassVar[int]
    subshell_id: str
    def __init__(self, subshell_id: _Optional[str] = ...) -> None: ...

class DeleteSubshellRequest(_message.Message):
    __slots__ = ("kernel_id", "subshell_id")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSHELL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    subshell_id: str
    def __init__(self, kernel_id: _Optional[str] = ..., subshell_id: _Optional[str] = ...) -> None: ...

class DeleteSubshellResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSubshellsRequest(_message.Message):
    __slots__ = ("kernel_id",)
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    def __init__(self, kernel_id: _Optional[str] = ...) -> None: ...

class ListSubshellsResponse(_message.Message):
    __slots__ = ("subshell_ids",)
    SUBSHELL_IDS_FIELD_NUMBER: _ClassVar[int]
    subshell_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, subshell_ids: _Optional[_Iterable[str]] = ...) -> None: ...
