"""The documents of front ends."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyterlab_server.workspaces_handler import WorkspacesManager, slugify
from perijove.contents.v1 import documents_pb2 as pb
from perijove_chassis import errors, status
from perijove_contents.documents.backends.layout import WORKSPACE_SUFFIX, workspace_file_name
from perijove_contents.documents.manager import merge

if TYPE_CHECKING:
    from pathlib import Path

    from perijove.contents.v1 import documents_pb2_grpc

    Stub = documents_pb2_grpc.DocumentsServiceAsyncStub

CONFIG, SETTINGS, WORKSPACES = (
    pb.COLLECTION_CONFIG,
    pb.COLLECTION_SETTINGS,
    pb.COLLECTION_WORKSPACES,
)
THEMES = "@jupyterlab/apputils-extension:themes"


async def put(stub: Stub, collection: pb.Collection, id_: str, content: bytes) -> pb.Document:
    request = pb.PutDocumentRequest(collection=collection, document_id=id_, content=content)
    return (await stub.PutDocument(request)).document


async def get(stub: Stub, collection: pb.Collection, id_: str) -> pb.Document:
    request = pb.GetDocumentRequest(collection=collection, document_id=id_)
    return (await stub.GetDocument(request)).document


async def patch(stub: Stub, id_: str, value: object) -> Any:
    content = json.dumps(value).encode()
    request = pb.MergeDocumentRequest(collection=CONFIG, document_id=id_, patch=content)
    return json.loads((await stub.MergeDocument(request)).document.content)


async def ids(stub: Stub, collection: pb.Collection) -> list[str]:
    found = await stub.ListDocuments(pb.ListDocumentsRequest(collection=collection))
    return [document.document_id for document in found.documents]


def workspace(id_: str) -> bytes:
    return json.dumps({"data": {"x": 1}, "metadata": {"id": id_}}).encode()


async def test_settings_are_where_jupyterlab_keeps_them(documents: Stub, tmp_path: Path) -> None:
    text = b'// a comment\n{"theme": "dark",}\n'
    stored = await put(documents, SETTINGS, THEMES, text)
    assert stored.content == b""
    found = await get(documents, SETTINGS, THEMES)
    assert found.content == text
    assert found.update_time == stored.update_time
    place = tmp_path / "config/lab/user-settings/@jupyterlab/apputils-extension"
    assert (place / "themes.jupyterlab-settings").read_bytes() == text
    other = tmp_path / "config/lab/user-settings/plain"
    other.mkdir()
    (other / "plugin.jupyterlab-settings").write_text("{}")
    assert await ids(documents, SETTINGS) == [THEMES, "plain:plugin"]
    await documents.DeleteDocument(
        pb.DeleteDocumentRequest(collection=SETTINGS, document_id=THEMES)
    )
    assert await ids(documents, SETTINGS) == ["plain:plugin"]


async def test_workspaces_are_shared_with_jupyterlab(documents: Stub, tmp_path: Path) -> None:
    stock = WorkspacesManager(str(tmp_path / "config/lab/workspaces"))
    stock.save("auto-X", workspace("/auto-X").decode())
    assert json.loads((await get(documents, WORKSPACES, "auto-X")).content)["data"] == {"x": 1}
    await put(documents, WORKSPACES, "Mine é", workspace("Mine é"))
    assert stock.load("Mine é")["data"] == {"x": 1}
    assert await ids(documents, WORKSPACES) == ["Mine é", "auto-X"]
    assert (await get(documents, WORKSPACES, "/auto-X")).document_id == "auto-X"
    stock.delete("Mine é")
    (tmp_path / "config/lab/workspaces/broken.jupyterlab-workspace").write_text("{")
    assert await ids(documents, WORKSPACES) == ["auto-X"]


@given(st.one_of(st.text(), st.from_regex(r"/?[A-Za-z %/_-]{0,140}", fullmatch=True)))
def test_the_name_of_a_workspace_file_is_that_of_jupyterlab(name: str) -> None:
    name = name.removeprefix("/")
    expected = slugify(name) + WORKSPACE_SUFFIX
    # A name that begins with two slashes is a name with one to JupyterLab.
    if not name.startswith("/"):
        assert workspace_file_name(name) == expected
    assert "/" not in workspace_file_name(name)
    assert workspace_file_name(name).endswith(
        hashlib.sha256(name.encode()).hexdigest()[:4] + WORKSPACE_SUFFIX
    )


async def test_configuration_is_merged_over_that_of_the_system(
    documents: Stub, tmp_path: Path
) -> None:
    system = tmp_path / "system/serverconfig"
    (system / "notebook.d").mkdir(parents=True)
    (system / "notebook.d/package.json").write_text('{"a": {"x": 1}, "b": 1, "c": 1}')
    (system / "notebook.d/broken.json").write_text("{")
    (system / "notebook.json").write_text('{"b": 2, "c": 2}')
    with pytest.raises(errors.NotFound) as caught, status.rpc_errors_as_domain():
        await get(documents, CONFIG, "absent")
    assert caught.value.reason == "NO_SUCH_DOCUMENT"
    await put(documents, CONFIG, "notebook", b'{"a": {"y": 1}, "c": 3}')
    merged = json.loads((await get(documents, CONFIG, "notebook")).content)
    assert merged == {"a": {"x": 1, "y": 1}, "b": 2, "c": 3}
    assert await patch(documents, "notebook", {"a": {"y": None}, "d": {"e": {"f": 1}}}) == {
        "c": 3,
        "d": {"e": {"f": 1}},
    }
    stored = json.loads((tmp_path / "config/serverconfig/notebook.json").read_text())
    assert stored == {"c": 3, "d": {"e": {"f": 1}}}
    assert await ids(documents, CONFIG) == ["notebook"]


async def test_a_document_too_large_for_the_wire_stands_in_nobodys_way(
    documents: Stub, tmp_path: Path
) -> None:
    await put(documents, WORKSPACES, "w", workspace("w"))
    huge = json.dumps({"data": "x" * 5_000_000, "metadata": {"id": "h"}})
    (tmp_path / "config/lab/workspaces" / workspace_file_name("h")).write_text(huge)
    assert await ids(documents, WORKSPACES) == ["w"]
    with pytest.raises(errors.ResourceExhausted), status.rpc_errors_as_domain():
        await get(documents, WORKSPACES, "h")


async def test_merges_at_the_same_time_all_count(documents: Stub) -> None:
    await asyncio.gather(*(patch(documents, "s", {str(i): i}) for i in range(40)))
    merged = json.loads((await get(documents, CONFIG, "s")).content)
    assert merged == {str(i): i for i in range(40)}


@pytest.mark.parametrize(
    ("target", "changes", "merged"),
    [
        ({"a": 1}, {"a": None}, {}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {}}, {}),
        ({}, {"a": {"b": {"c": None}}}, {}),
    ],
)
def test_merging_is_that_of_jupyter(
    target: dict[str, Any], changes: dict[str, Any], merged: dict[str, Any]
) -> None:
    merge(target, changes)
    assert target == merged


async def test_a_listing_is_paged(documents: Stub) -> None:
    for number in range(5):
        await put(documents, CONFIG, f"s{number}", b'{"x": "%s"}' % (b"x" * 1_500_000))
    seen, token = [], ""
    while True:
        page = await documents.ListDocuments(
            pb.ListDocumentsRequest(collection=CONFIG, page_token=token)
        )
        assert len(page.documents) <= 2
        seen += [document.document_id for document in page.documents]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"s{number}" for number in range(5)]


BAD_IDS = {
    CONFIG: ["", "..", ".x", "a/b", "../x", "a\0", "x" * 600],
    SETTINGS: ["", "x", "a:b:c", "../x:y", "@../x:y", "a/b/c:d", "x:../y", "x:.y", "@a/:b", ":"],
    WORKSPACES: ["", "/", "a\0", "x" * 600],
}


async def test_a_bad_id_is_refused(documents: Stub, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*.js*"))
    for which in ((collection, id_) for collection in BAD_IDS for id_ in BAD_IDS[collection]):
        key = dict(zip(("collection", "document_id"), which, strict=True))
        for call in (
            documents.GetDocument(pb.GetDocumentRequest(**key)),
            documents.PutDocument(pb.PutDocumentRequest(**key)),
            documents.DeleteDocument(pb.DeleteDocumentRequest(**key)),
            documents.MergeDocument(pb.MergeDocumentRequest(**key, patch=b"{}")),
        ):
            with pytest.raises(errors.InvalidArgument), status.rpc_errors_as_domain():
                await call
    assert set(tmp_path.rglob("*.js*")) == before


async def test_bad_content_is_refused_and_changes_nothing(documents: Stub, tmp_path: Path) -> None:
    await put(documents, CONFIG, "s", b'{"a": 1}')
    await put(documents, SETTINGS, THEMES, b"{}")
    await put(documents, WORKSPACES, "w", workspace("w"))
    bad = [
        (CONFIG, "s", b"{"),
        (CONFIG, "s", b"[]"),
        (CONFIG, "s", b"[" * 100_000),
        (SETTINGS, THEMES, b"\xff"),
        (WORKSPACES, "w", b"{}"),
        (WORKSPACES, "w", workspace("another")),
    ]
    for collection, id_, content in bad:
        with pytest.raises(errors.InvalidArgument) as caught, status.rpc_errors_as_domain():
            await put(documents, collection, id_, content)
        assert caught.value.reason == "BAD_FORMAT"
    for collection, id_ in ((CONFIG, "s"), (SETTINGS, THEMES), (WORKSPACES, "w")):
        with pytest.raises(errors.ResourceExhausted) as full, status.rpc_errors_as_domain():
            await put(documents, collection, id_, b"x" * (4 * 1024 * 1024 + 1))
        assert full.value.reason == "LIMIT_EXCEEDED"
    with pytest.raises(errors.InvalidArgument), status.rpc_errors_as_domain():
        await documents.MergeDocument(
            pb.MergeDocumentRequest(collection=SETTINGS, document_id=THEMES, patch=b"{}")
        )
    with pytest.raises(errors.InvalidArgument), status.rpc_errors_as_domain():
        await documents.ListDocuments(pb.ListDocumentsRequest())
    for collection, id_ in ((CONFIG, "absent"), (SETTINGS, "absent:x"), (WORKSPACES, "absent")):
        with pytest.raises(errors.NotFound), status.rpc_errors_as_domain():
            await documents.DeleteDocument(
                pb.DeleteDocumentRequest(collection=collection, document_id=id_)
            )
    assert json.loads((await get(documents, CONFIG, "s")).content) == {"a": 1}
    assert (await get(documents, SETTINGS, THEMES)).content == b"{}"
    assert (await get(documents, WORKSPACES, "w")).content == workspace("w")
    assert not list(tmp_path.rglob(".~perijove-*"))
