from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANNEL_UNSPECIFIED: _ClassVar[Channel]
    CHANNEL_SHELL: _ClassVar[Channel]
    CHANNEL_IOPUB: _ClassVar[Channel]
    CHANNEL_STDIN: _ClassVar[Channel]
    CHANNEL_CONTROL: _ClassVar[Channel]

class GapCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GAP_CAUSE_UNSPECIFIED: _ClassVar[GapCause]
    GAP_CAUSE_JOURNAL_LIMIT: _ClassVar[GapCause]
    GAP_CAUSE_RUNNER_RESTARTED: _ClassVar[GapCause]
    GAP_CAUSE_UNKNOWN_RESUME_POINT: _ClassVar[GapCause]
    GAP_CAUSE_SPOOLED: _ClassVar[GapCause]
CHANNEL_UNSPECIFIED: Channel
CHANNEL_SHELL: Channel
CHANNEL_IOPUB: Channel
CHANNEL_STDIN: Channel
CHANNEL_CONTROL: Channel
GAP_CAUSE_UNSPECIFIED: GapCause
GAP_CAUSE_JOURNAL_LIMIT: GapCause
GAP_CAUSE_RUNNER_RESTARTED: GapCause
GAP_CAUSE_UNKNOWN_RESUME_POINT: GapCause
GAP_CAUSE_SPOOLED: GapCause

class KernelMessage(_message.Message):
    __slots__ = ("channel", "sequence", "frames")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    channel: Channel
    sequence: int
    frames: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, channel: _Optional[_Union[Channel, str]] = ..., sequence: _Optional[int] = ..., frames: _Optional[_Iterable[bytes]] = ...) -> None: ...

class KernelMessageBatch(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[KernelMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[KernelMessage, _Mapping]]] = ...) -> None: ...

class ResumePoint(_message.Message):
    __slots__ = ("epoch", "sequence")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    sequence: int
    def __init__(self, epoch: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class Outbox(_message.Message):
    __slots__ = ("outbox_id", "taken", "returning")
    OUTBOX_ID_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    RETURNING_FIELD_NUMBER: _ClassVar[int]
    outbox_id: str
    taken: int
    returning: bool
    def __init__(self, outbox_id: _Optional[str] = ..., taken: _Optional[int] = ..., returning: _Optional[bool] = ...) -> None: ...

class Attach(_message.Message):
    __slots__ = ("kernel_id", "client_session_id", "resume", "outbox", "skips_spooled")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    OUTBOX_FIELD_NUMBER: _ClassVar[int]
    SKIPS_SPOOLED_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    client_session_id: str
    resume: ResumePoint
    outbox: Outbox
    skips_spooled: bool
    def __init__(self, kernel_id: _Optional[str] = ..., client_session_id: _Optional[str] = ..., resume: _Optional[_Union[ResumePoint, _Mapping]] = ..., outbox: _Optional[_Union[Outbox, _Mapping]] = ..., skips_spooled: _Optional[bool] = ...) -> None: ...

class Attached(_message.Message):
    __slots__ = ("epoch", "resumed", "sequence", "taken")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    resumed: bool
    sequence: int
    taken: int
    def __init__(self, epoch: _Optional[int] = ..., resumed: _Optional[bool] = ..., sequence: _Optional[int] = ..., taken: _Optional[int] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("epoch", "sequence")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    sequence: int
    def __init__(self, epoch: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class Detach(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Gap(_message.Message):
    __slots__ = ("epoch", "first_sequence", "last_sequence", "cause", "message")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    first_sequence: int
    last_sequence: int
    cause: GapCause
    message: str
    def __init__(self, epoch: _Optional[int] = ..., first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., cause: _Optional[_Union[GapCause, str]] = ..., message: _Optional[str] = ...) -> None: ...

class EpochBegun(_message.Message):
    __slots__ = ("epoch",)
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    def __init__(self, epoch: _Optional[int] = ...) -> None: ...

class ConnectRequest(_message.Message):
    __slots__ = ("attach", "batch", "ack", "detach")
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    attach: Attach
    batch: KernelMessageBatch
    ack: Ack
    detach: Detach
    def __init__(self, attach: _Optional[_Union[Attach, _Mapping]] = ..., batch: _Optional[_Union[KernelMessageBatch, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., detach: _Optional[_Union[Detach, _Mapping]] = ...) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("attached", "batch", "gap", "epoch_begun", "taken")
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    EPOCH_BEGUN_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    attached: Attached
    batch: KernelMessageBatch
    gap: Gap
    epoch_begun: EpochBegun
    taken: int
    def __init__(self, attached: _Optional[_Union[Attached, _Mapping]] = ..., batch: _Optional[_Union[KernelMessageBatch, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., epoch_begun: _Optional[_Union[EpochBegun, _Mapping]] = ..., taken: _Optional[int] = ...) -> None: ...

class ReadJournalRequest(_message.Message):
    __slots__ = ("kernel_id", "client_session_id", "after", "last_sequence")
    KERNEL_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    kernel_id: str
    client_session_id: str
    after: ResumePoint
    last_sequence: int
    def __init__(self, kernel_id: _Optional[str] = ..., client_session_id: _Optional[str] = ..., after: _Optional[_Union[ResumePoint, _Mapping]] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class ReadJournalResponse(_message.Message):
    __slots__ = ("batch", "gap", "epoch_begun", "next", "at_end")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    EPOCH_BEGUN_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    AT_END_FIELD_NUMBER: _ClassVar[int]
    batch: KernelMessageBatch
    gap: Gap
    epoch_begun: EpochBegun
    next: ResumePoint
    at_end: bool
    def __init__(self, batch: _Optional[_Union[KernelMessageBatch, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., epoch_begun: _Optional[_Union[EpochBegun, _Mapping]] = ..., next: _Optional[_Union[ResumePoint, _Mapping]] = ..., at_end: _Optional[bool] = ...) -> None: ...
