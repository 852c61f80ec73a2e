"""What nearly all notebooks look like, to see at a glance that they are valid.

The schema of nbformat 4.5 says it all, and takes most of the time that a small
notebook takes. What fits in here is valid by that schema; what does not may
still be, and is checked against it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

_Lines = str | list[str]
_Bundle = dict[str, _Lines]
_Id = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}\Z")]
_Count = Annotated[int, Meta(ge=0)] | None
_Name = Annotated[str, Meta(pattern=r"^[ -~]+\Z")]
_Tag = Annotated[str, Meta(pattern=r"^[ -+\--~]+\Z")]
# Tags must differ from each other, which one alone does.
_Tags = Annotated[list[_Tag], Meta(max_length=1)]


class _Any(msgspec.Struct):
    """An object of which only some members are laid down."""


class _Exact(msgspec.Struct, forbid_unknown_fields=True):
    """An object without any other members."""


class _Stream(_Exact, tag_field="output_type", tag="stream"):
    name: str
    text: _Lines


class _Display(_Exact, tag_field="output_type", tag="display_data"):
    data: _Bundle
    metadata: _Any


class _Result(_Exact, tag_field="output_type", tag="execute_result"):
    execution_count: _Count
    data: _Bundle
    metadata: _Any


class _Error(_Exact, tag_field="output_type", tag="error"):
    ename: str
    evalue: str
    traceback: list[str]


class _CellMetadata(_Any):
    name: _Name | UnsetType = UNSET
    tags: _Tags | UnsetType = UNSET
    jupyter: _Any | UnsetType = UNSET
    format: str | UnsetType = UNSET


class _CodeMetadata(_CellMetadata):
    collapsed: bool | UnsetType = UNSET
    scrolled: bool | Literal["auto"] | UnsetType = UNSET
    execution: dict[str, str] | UnsetType = UNSET


class _Code(_Exact, tag_field="cell_type", tag="code"):
    id: _Id
    metadata: _CodeMetadata
    source: _Lines
    outputs: list[_Stream | _Display | _Result | _Error]
    execution_count: _Count


class _Markdown(_Exact, tag_field="cell_type", tag="markdown"):
    id: _Id
    metadata: _CellMetadata
    source: _Lines
    attachments: dict[str, _Bundle] | UnsetType = UNSET


class _Raw(_Exact, tag_field="cell_type", tag="raw"):
    id: _Id
    metadata: _CellMetadata
    source: _Lines
    attachments: dict[str, _Bundle] | UnsetType = UNSET


class _Kernel(_Any):
    name: str
    display_name: str


class _Language(_Any):
    name: str
    codemirror_mode: str | dict[str, Any] | UnsetType = UNSET
    file_extension: str | UnsetType = UNSET
    mimetype: str | UnsetType = UNSET
    pygments_lexer: str | UnsetType = UNSET


class _Metadata(_Any):
    kernelspec: _Kernel | UnsetType = UNSET
    language_info: _Language | UnsetType = UNSET
    orig_nbformat: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    title: str | UnsetType = UNSET
    authors: list[Any] | UnsetType = UNSET


class _Notebook(_Exact):
    nbformat: Literal[4]
    nbformat_minor: Literal[5]
    metadata: _Metadata
    cells: list[_Code | _Markdown | _Raw]


# Here, where there is one thread: msgspec learns a type when it is first used, and of two
# threads that use it first at the same time, one may find it half learnt, and crash the process.
msgspec.json.Decoder(_Notebook)


def is_plain(tree: object) -> bool:
    """Return whether a decoded notebook is valid for certain."""
    try:
        msgspec.convert(tree, _Notebook)
    except (msgspec.ValidationError, ValueError, RecursionError):
        # A key may be no Unicode, and a tree very deep.
        return False
    return True
