"""Bad input of every RPC, through the socket of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from perijove.contents.v1 import contents_pb2 as pb
from perijove.contents.v1 import contents_pb2_grpc
from perijove.errors.v1 import errors_pb2
from perijove_chassis import errors, status

from services.contents.tests.calls import MIB, messages, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Stub = contents_pb2_grpc.ContentsServiceAsyncStub

REASONS = errors_pb2.ErrorReason.DESCRIPTOR.values_by_name


BAD_PATHS = ["..", "a/../..", "../root2/x", "a\0", "./a", "x" * 256, "a/" * 3000, ".."]
HIDDEN = [".hidden", "d/.x"]
ABSENT = ["absent", "file.txt/below", "d/absent"]


def calls() -> Iterator[Any]:
    """Yield calls that must fail, as (method, request, error, reason)."""
    bad, absent = errors.InvalidArgument, errors.NotFound
    one_path = {
        "GetEntry": pb.GetEntryRequest,
        "ListEntries": pb.ListEntriesRequest,
        "ReadContent": pb.ReadContentRequest,
        "CopyEntry": pb.CopyEntryRequest,
        "DeleteEntry": pb.DeleteEntryRequest,
        "CreateCheckpoint": pb.CreateCheckpointRequest,
    }
    for method, make in one_path.items():
        reads = method in ("GetEntry", "ListEntries", "ReadContent")
        for path in BAD_PATHS:
            yield method, make(path=path), bad, "BAD_PATH"
        for path in HIDDEN:
            expected = (absent, "NO_SUCH_ENTRY") if reads else (bad, "BAD_PATH")
            yield method, make(path=path), *expected
        for path in ABSENT:
            yield method, make(path=path), absent, "NO_SUCH_ENTRY"
    for path in BAD_PATHS:
        yield "GetKernelPath", pb.GetKernelPathRequest(path=path), bad, "BAD_PATH"
        yield "ListCheckpoints", pb.ListCheckpointsRequest(path=path), bad, "BAD_PATH"
        yield "CreateEntry", pb.CreateEntryRequest(directory=path), bad, "BAD_PATH"
        yield "CopyEntry", pb.CopyEntryRequest(path="file.txt", target_path=path), bad, "BAD_PATH"
        yield "RenameEntry", pb.RenameEntryRequest(path="file.txt", new_path=path), bad, "BAD_PATH"
    for make, method in (
        (pb.RestoreCheckpointRequest, "RestoreCheckpoint"),
        (pb.DeleteCheckpointRequest, "DeleteCheckpoint"),
    ):
        yield method, make(path="../a", checkpoint_id="checkpoint"), bad, "BAD_PATH"
        yield method, make(path="file.txt", checkpoint_id="../x"), absent, "NO_SUCH_CHECKPOINT"
        yield method, make(path=".x", checkpoint_id="checkpoint"), bad, "BAD_PATH"
    yield "GetEntry", pb.GetEntryRequest(path="file.txt", type=3), bad, "BAD_TYPE"
    yield "GetEntry", pb.GetEntryRequest(path="d", type=1), bad, "BAD_TYPE"
    yield "GetEntry", pb.GetEntryRequest(path="d", type=99), bad, "BAD_TYPE"  # type: ignore[arg-type]
    yield "GetEntry", pb.GetEntryRequest(path="d", include_hash=True), bad, "BAD_TYPE"
    yield "ListEntries", pb.ListEntriesRequest(path="file.txt"), bad, "BAD_TYPE"
    yield "ListEntries", pb.ListEntriesRequest(path="d", page_size=-1), bad, ""
    yield "ReadContent", pb.ReadContentRequest(path="binary", format=1), bad, "BAD_FORMAT"
    yield "ReadContent", pb.ReadContentRequest(path="file.txt", format=3), bad, "BAD_FORMAT"
    yield "ReadContent", pb.ReadContentRequest(path="file.txt", format=99), bad, "BAD_FORMAT"  # type: ignore[arg-type]
    yield "ReadContent", pb.ReadContentRequest(path="d", include_hash=True), bad, "BAD_TYPE"
    yield "ReadContent", pb.ReadContentRequest(path="broken.ipynb"), bad, "UNREADABLE_NOTEBOOK"
    yield "CreateEntry", pb.CreateEntryRequest(directory="absent"), absent, "NO_SUCH_ENTRY"
    yield "CreateEntry", pb.CreateEntryRequest(directory="file.txt"), absent, "NO_SUCH_ENTRY"
    yield "CreateEntry", pb.CreateEntryRequest(directory=".x"), bad, "BAD_PATH"
    yield "CreateEntry", pb.CreateEntryRequest(extension="/../x"), bad, "BAD_PATH"
    yield "CreateEntry", pb.CreateEntryRequest(type=99), bad, "BAD_TYPE"  # type: ignore[arg-type]
    exists = errors.AlreadyExists
    rename = pb.RenameEntryRequest
    yield "RenameEntry", rename(path="file.txt", new_path="binary"), exists, "ENTRY_EXISTS"
    yield "RenameEntry", rename(path="file.txt", new_path="d"), exists, "ENTRY_EXISTS"
    yield "RenameEntry", rename(path="file.txt", new_path=""), exists, "ENTRY_EXISTS"
    yield "RenameEntry", rename(path="d", new_path="d/e"), bad, "BAD_PATH"
    yield "RenameEntry", rename(path="absent", new_path="x"), absent, "NO_SUCH_ENTRY"
    yield "RenameEntry", rename(path="file.txt", new_path="absent/x"), absent, "NO_SUCH_ENTRY"
    yield "DeleteEntry", pb.DeleteEntryRequest(path=""), bad, "BAD_PATH"
    yield "CreateCheckpoint", pb.CreateCheckpointRequest(path="d"), bad, "BAD_TYPE"


def writes() -> Iterator[Any]:
    """Yield writes that must fail, as (header, chunks, error, reason)."""
    bad, absent = errors.InvalidArgument, errors.NotFound
    full = errors.ResourceExhausted
    header = pb.WriteContentHeader
    for path in [*BAD_PATHS, *HIDDEN]:
        yield header(path=path), [b"x"], bad, "BAD_PATH"
    yield None, [b"x"], bad, ""
    yield header(path=""), [b"x"], bad, "BAD_TYPE"
    yield header(path="d"), [b"x"], bad, "BAD_TYPE"
    yield header(path="file.txt", type=3), [], bad, "BAD_TYPE"
    yield header(path="new", type=3), [b"x"], bad, "BAD_FORMAT"
    yield header(path="absent/x"), [b"x"], absent, "NO_SUCH_ENTRY"
    yield header(path="file.txt/x"), [b"x"], absent, "NO_SUCH_ENTRY"
    yield header(path="absent/x", type=3), [], absent, "NO_SUCH_ENTRY"
    yield header(path="file.txt", type=99), [b"x"], bad, "BAD_TYPE"  # type: ignore[arg-type]
    yield header(path="file.txt", format=99), [b"x"], bad, "BAD_FORMAT"  # type: ignore[arg-type]
    yield header(path="file.txt", part=99), [b"x"], bad, "BAD_FORMAT"  # type: ignore[arg-type]
    yield header(path="file.txt", format=1), [b"a", b"\xff"], bad, "BAD_FORMAT"
    yield header(path="file.txt", format=3), [b"{}"], bad, "BAD_FORMAT"
    yield header(path="x.ipynb", part=2), [b"{}"], bad, "BAD_TYPE"
    yield header(path="x.ipynb"), [b'"x"'], bad, "BAD_FORMAT"
    yield header(path="x.ipynb"), [b"{}"], bad, "BAD_FORMAT"
    yield header(path="absent", part=3), [b"x"], absent, "NO_SUCH_ENTRY"
    yield header(path="file.txt", if_hash="0"), [b"x"], errors.Aborted, "VERSION_MISMATCH"
    yield header(path="new", if_hash="0"), [b"x"], errors.Aborted, "VERSION_MISMATCH"
    yield header(path="file.txt", if_exists=False), [b"x"], errors.Aborted, "VERSION_MISMATCH"
    yield header(path="new", if_exists=True), [b"x"], errors.Aborted, "VERSION_MISMATCH"
    yield header(path="d", type=3, if_exists=False), [], errors.Aborted, "VERSION_MISMATCH"
    yield header(path="new", type=3, if_exists=True), [], errors.Aborted, "VERSION_MISMATCH"
    yield header(path="new", if_exists=False, if_hash="0"), [b"x"], bad, ""
    yield header(path="new", if_exists=False, part=3), [b"x"], bad, ""
    yield header(path="d", type=3, if_hash="0"), [], bad, "BAD_TYPE"
    yield header(path="new", type=3, include_hash=True), [], bad, "BAD_TYPE"
    yield header(path="file.txt"), [b"x" * (MIB + 1)], full, "LIMIT_EXCEEDED"
    yield header(path="file.txt"), [b"x" * MIB] * 5, full, "LIMIT_EXCEEDED"


def prepare(root: Path) -> dict[str, bytes | None]:
    (root / "d").mkdir()
    (root / "d" / ".x").write_bytes(b"hidden")
    (root / ".hidden").write_bytes(b"hidden")
    (root / "file.txt").write_bytes(b"text")
    (root / "binary").write_bytes(b"\xff")
    (root / "broken.ipynb").write_bytes(b"{")
    (root.parent / "root2").mkdir()
    (root.parent / "root2" / "x").write_bytes(b"a neighbour")
    return tree(root.parent / "root2") | tree(root)


async def answer(contents: Stub, method: str, request: Any) -> None:
    call = getattr(contents, method)(request)
    await (call.read() if method == "ReadContent" else call)


async def test_bad_input_gets_its_reason_and_changes_nothing(contents: Stub, root: Path) -> None:
    before = prepare(root)
    for method, request, error, reason in calls():
        with pytest.raises(errors.DomainError) as caught, status.rpc_errors_as_domain():
            await answer(contents, method, request)
        found = (type(caught.value), caught.value.reason)
        assert found == (error, reason), f"{method} {str(request)[:200]}: {caught.value}"
        assert str(root) not in str(caught.value)
        assert (
            not reason
            or f"ERROR_REASON_{reason}" in errors_pb2.ErrorReason.DESCRIPTOR.values_by_name
        )
        assert tree(root.parent / "root2") | tree(root) == before, f"{method} {request}"


async def test_bad_writes_get_their_reason_and_change_nothing(contents: Stub, root: Path) -> None:
    before = prepare(root)
    for header, chunks, error, reason in writes():
        with pytest.raises(errors.DomainError) as caught, status.rpc_errors_as_domain():
            await contents.WriteContent(messages(header, *chunks))
        found = (type(caught.value), caught.value.reason)
        assert found == (error, reason), f"{header}: {caught.value}"
        assert str(root) not in str(caught.value)
        assert tree(root.parent / "root2") | tree(root) == before, f"{header}"
