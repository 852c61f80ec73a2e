"""Schemas of events: where they come from, and those that cannot be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from perijove_sessions.events.backends.schemas import GROUP, LoadedSchemas, all_documents

if TYPE_CHECKING:
    from pathlib import Path

CORE = "https://events.jupyter.org/jupyter_server/"
GOOD: dict[str, Any] = {
    "$id": "urn:good",
    "version": 2,
    "title": "Good",
    "type": "object",
    "properties": {"n": {"type": "integer", "default": 1}, "again": {"$ref": "#/properties/n"}},
}

BAD = {
    "no object": [1],
    "no id": {"version": "1"},
    "an id that is no text": {"$id": 1, "version": "1"},
    "no version": {"$id": "urn:x"},
    "a version that is none": {"$id": "urn:x", "version": True},
    "no schema": {"$id": "urn:x", "version": "1", "type": "nothing"},
    "a reference elsewhere": {
        "$id": "https://example.org/x",
        "version": "1",
        "properties": {"n": {"$ref": "https://example.org/other"}},
    },
    "a reference to a file": {
        "$id": "urn:x",
        "version": "1",
        "properties": {"n": {"$ref": "file:///etc/passwd"}},
    },
    "one that is there": {"$id": "urn:good", "version": "3"},
    "no JSON": {"$id": "urn:x", "version": "1", "more": object()},
}


def test_a_schema_that_cannot_be_used_is_left_out_and_no_other() -> None:
    documents = [("good", GOOD), *BAD.items(), ("last", {**GOOD, "$id": "urn:last"})]
    schemas = LoadedSchemas(documents)
    assert [schema.schema_id for schema in schemas.list()] == ["urn:good", "urn:last"]
    good = schemas.get("urn:good")
    assert good
    assert (good.version, good.title, good.description) == ("2", "Good", "")
    assert json.loads(good.document) == GOOD


def test_data_is_checked_and_left_as_it_is() -> None:
    schemas = LoadedSchemas([("good", GOOD)])
    data: dict[str, Any] = {"again": 1}
    assert schemas.objection("urn:good", data) is None
    assert data == {"again": 1}
    assert "integer" in (schemas.objection("urn:good", {"again": "x"}) or "")


@pytest.mark.parametrize(
    ("name", "data", "is_valid"),
    [
        ("contents_service", {"action": "copy", "path": "a", "source_path": "b"}, True),
        ("contents_service", {"action": "copy"}, False),
        ("contents_service", {"action": "look", "path": ""}, False),
        ("kernel_actions", {"action": "start", "status": "error", "msg": ""}, True),
        ("kernel_actions", {"action": "start", "status": "success", "msg": ""}, False),
        ("kernel_actions", {"action": "restart", "status": "error", "msg": ""}, False),
        ("kernel_actions", {"action": "restart", "kernel_id": "k", "msg": ""}, True),
        ("gateway_client", {"status": "success", "msg": "", "status_code": 1.5}, True),
        ("gateway_client", {"msg": ""}, False),
    ],
)
def test_the_core_schemas_say_what_events_of_jupyter_are(
    name: str,
    data: dict[str, Any],
    is_valid: bool,  # noqa: FBT001 - a column of the table
) -> None:
    schemas = LoadedSchemas(all_documents(""))
    assert (schemas.objection(f"{CORE}{name}/v1", data) is None) == is_valid


def test_the_owner_adds_schemas_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({**GOOD, "$id": "urn:a"}))
    (tmp_path / "b.json").write_text(json.dumps({**GOOD, "$id": "urn:b"}))
    (tmp_path / "broken.yml").write_text("{")
    (tmp_path / "code.yml").write_text("!!python/object/apply:os.getcwd []")
    (tmp_path / "latin.yml").write_bytes(b"\xff\xfe\xfd")
    (tmp_path / "notes.txt").write_text("{")
    (tmp_path / "directory.json").mkdir()
    schemas = LoadedSchemas(all_documents(str(tmp_path)))
    found = {schema.schema_id for schema in schemas.list()}
    assert {one for one in found if not one.startswith(CORE)} == {"urn:a", "urn:b"}
    assert LoadedSchemas(all_documents(str(tmp_path / "none"))).list()


def test_packages_add_schemas_by_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in_a_file.yaml").write_text(yaml.safe_dump({**GOOD, "$id": "urn:file"}))
    (tmp_path / "one_extension.py").write_text(
        "import pathlib\n"
        "HERE = pathlib.Path(__file__).parent\n"
        f"SCHEMAS = [HERE / 'in_a_file.yaml', {GOOD!r}]\n"
    )
    info = tmp_path / "one_extension-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: one-extension\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[{GROUP}]\none = one_extension:SCHEMAS\nbroken = one_extension:NOTHING\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    schemas = LoadedSchemas(all_documents(""))
    assert {"urn:file", "urn:good"} <= {schema.schema_id for schema in schemas.list()}
