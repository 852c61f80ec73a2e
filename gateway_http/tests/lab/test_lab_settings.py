from __future__ import annotations

import asyncio
import gettext
import importlib
import io
import sys
from typing import TYPE_CHECKING

import pytest
from perijove.contents.v1 import documents_pb2 as pb
from perijove_gateway_http import documents
from perijove_gateway_http.keys import FRONTEND, STUBS
from perijove_gateway_http.lab.frontend import Frontend
from perijove_gateway_http.lab.translations import LOCALE_PLUGIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perijove_gateway_http.lab.installation import Installation

    from gateway_http.tests.lab.running_edge import ContentsProcess, Edge, MakeEdge, Write

PLUGIN = "@jupyterlab/notebook-extension:tracker"
KEYS = {"id", "schema", "version", "raw", "settings", "last_modified", "created"}


async def put(edge: Edge, plugin_id: str, raw: str) -> None:
    async with edge.put(f"lab/api/settings/{plugin_id}", json={"raw": raw}) as response:
        assert response.status == 204, await response.text()
        assert await response.read() == b""


async def store(edge: Edge, plugin_id: str, content: str) -> None:
    """Store a text that the edge itself would refuse."""
    await documents.put(
        edge.app[STUBS].documents, pb.COLLECTION_SETTINGS, plugin_id, content.encode()
    )


async def test_settings_that_nobody_changed_have_their_schema(edge: Edge) -> None:
    model = await edge.json("lab/api/settings/@jupyterlab/fileeditor-extension:plugin")
    assert set(model) == KEYS
    assert model["raw"] == "{}"
    assert model["settings"] == {}
    assert model["last_modified"] is None
    assert model["created"] is None
    assert model["schema"]["type"] == "object"


async def test_the_list_has_every_plug_in_last_id_first(edge: Edge) -> None:
    models = (await edge.json("lab/api/settings"))["settings"]
    ids = [model["id"] for model in models]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) > 50
    assert all(set(model) == KEYS | {"warning"} for model in models)
    for path in ("lab/api/settings?ids_only=true", "lab/api/settings/?ids_only=true"):
        assert (await edge.json(path))["settings"] == [{"id": one} for one in ids]


async def test_what_the_user_wrote_is_kept_byte_for_byte(
    edge: Edge, contents: ContentsProcess
) -> None:
    raw = "// Meine Größe\n{\n  'codeCellConfig': {lineNumbers: true,},\n}\n"
    await put(edge, PLUGIN, raw)
    one = await edge.json(f"lab/api/settings/{PLUGIN}")
    assert one["raw"] == raw
    assert one["settings"] == {"codeCellConfig": {"lineNumbers": True}}
    assert one["last_modified"].endswith("Z")
    listed = (await edge.json("lab/api/settings"))["settings"]
    (same,) = (model for model in listed if model["id"] == PLUGIN)
    assert {key: same[key] for key in KEYS} == one
    file = contents.settings_dir / "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    assert file.read_text() == raw


async def test_ids_may_come_percent_encoded(edge: Edge) -> None:
    model = await edge.json("lab/api/settings/%40jupyterlab%2Fnotebook-extension%3Atracker")
    assert model["id"] == PLUGIN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"raw": 5}',
        b'{"raw": null}',
        b'{"raw": ""}',
        b'{"raw": "{"}',
        b'{"raw": "{a:}"}',
        b'{"raw": "5"}',
        b'{"raw": "[]"}',
        b'{"raw": "{recordTiming: \'yes\'}"}',
        b'{"raw": "{\\"recordTiming\\": 1}"}',
        b'{"raw": "\xff"}',
        b'{"raw": "' + b"[" * 100_000 + b'"}',
        b"[" * 100_000,
    ],
)
async def test_settings_that_make_no_sense_are_refused_and_change_nothing(
    edge: Edge, body: bytes
) -> None:
    await put(edge, PLUGIN, "{recordTiming: true}")
    async with edge.put(f"lab/api/settings/{PLUGIN}", data=body) as response:
        assert response.status == 400
        assert set(await response.json()) == {"message", "reason"}
    assert (await edge.json(f"lab/api/settings/{PLUGIN}"))["raw"] == "{recordTiming: true}"


async def test_settings_of_an_excessive_size_are_refused(edge: Edge) -> None:
    body = b'{"raw": "' + b" " * (9 * 1024 * 1024) + b'"}'
    async with edge.put(f"lab/api/settings/{PLUGIN}", data=io.BytesIO(body)) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    "plugin_id",
    [
        "nope",
        "@jupyterlab/nope:panel",
        "@jupyterlab/notebook-extension:nope",
        "@jupyterlab/notebook-extension:tracker:more",
        "@jupyterlab/notebook-extension:..%2Fnotebook-extension%2Ftracker",
        "..%2Fschemas%2F@jupyterlab/notebook-extension:tracker",
        "..%2f..%2f..%2fetc:passwd",
        "%00:%00",
        "x" * 2000 + ":y",
    ],
)
async def test_settings_of_a_plug_in_that_is_not_installed_are_not_there(
    edge: Edge, plugin_id: str, installed: Installation
) -> None:
    for method, options in (("GET", {}), ("PUT", {"json": {"raw": "{}"}})):
        async with edge.request(method, f"lab/api/settings/{plugin_id}", **options) as response:
            assert response.status == 404
            message = (await response.json())["message"]
            assert message.startswith(("Settings not found", "Schema not found"))
            assert str(installed.prefix) not in message


@pytest.mark.parametrize("stored", ["{recordTiming: 'no'}", "{", "5"])
async def test_stored_settings_that_are_not_allowed_do_not_count(edge: Edge, stored: str) -> None:
    await store(edge, PLUGIN, stored)
    model = await edge.json(f"lab/api/settings/{PLUGIN}")
    assert (model["raw"], model["settings"]) == ("{}", {})
    listed = (await edge.json("lab/api/settings"))["settings"]
    (same,) = (model for model in listed if model["id"] == PLUGIN)
    assert PLUGIN in same["warning"]


async def test_an_empty_file_is_no_settings(edge: Edge) -> None:
    await store(edge, PLUGIN, "")
    model = await edge.json(f"lab/api/settings/{PLUGIN}")
    assert (model["raw"], model["settings"]) == ("{}", {})


async def test_settings_of_a_plug_in_that_is_gone_are_not_listed(edge: Edge) -> None:
    await store(edge, "@gone/extension:plugin", "{a: 1}")
    ids = [one["id"] for one in (await edge.json("lab/api/settings"))["settings"]]
    assert "@gone/extension:plugin" not in ids


async def test_a_schema_that_points_elsewhere_fetches_nothing(
    make_edge: MakeEdge, empty: Installation, write: Write
) -> None:
    asked: list[asyncio.StreamWriter] = []

    def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reference = {"$ref": f"http://127.0.0.1:{port}/x.json"}
        schema = {"type": "object", "properties": {"a": reference}}
        write(empty.schemas_dir / "@me/ext/plugin.json", schema)
        edge = await make_edge(installation=empty)
        await put(edge, "@me/ext:plugin", "{a: 1}")
    assert not asked


async def test_without_a_user_settings_are_refused(edge: Edge) -> None:
    for path in ("lab/api/settings", f"lab/api/settings/{PLUGIN}"):
        async with edge.get(path, headers={"Authorization": ""}) as response:
            assert response.status == 403
            assert await response.json() == {"message": "Forbidden", "reason": None}


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a small language pack."""
    package = tmp_path / "site" / "jupyterlab_language_pack_de_DE"
    catalogs = package / "locale/de_DE/LC_MESSAGES"
    catalogs.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('nothing of it may run')")
    (catalogs / "jupyterlab.json").write_text('{"": {"domain": "jupyterlab"}, "File": ["Datei"]}')
    (catalogs / "broken.json").write_text("{")
    (catalogs / "jupyterlab.mo").write_bytes(compiled({"schema\x04Notebook": "Notizbuch"}))
    info = tmp_path / "site" / "pack-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pack\nVersion: 1.0\n")
    entry = f"[jupyterlab.languagepack]\nde_DE = {package.name}\nxx_XX = {package.name}\n"
    (info / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(tmp_path / "site")
    importlib.invalidate_caches()
    yield
    assert package.name not in sys.modules


def compiled(texts: dict[str, str]) -> bytes:
    """Return a catalog as gettext reads it."""
    ids, strings, offsets = b"", b"", []
    for key, value in sorted({"": "Content-Type: text/plain; charset=utf-8\n", **texts}.items()):
        offsets.append((len(ids), len(key.encode()), len(strings), len(value.encode())))
        ids += key.encode() + b"\0"
        strings += value.encode() + b"\0"
    start = 7 * 4 + 16 * len(offsets)
    numbers = [0x950412DE, 0, len(offsets), 28, 28 + 8 * len(offsets), 0, 0]
    for at, length, _, _ in offsets:
        numbers += [length, at + start]
    for _, _, at, length in offsets:
        numbers += [length, at + start + len(ids)]
    head = b"".join(number.to_bytes(4, "little") for number in numbers)
    return head + ids + strings


@pytest.mark.usefixtures("german")
async def test_another_language_is_spoken_once_the_user_chose_it(edge: Edge) -> None:
    await put(edge, LOCALE_PLUGIN, "{locale: 'en'}")
    english = await edge.json(f"lab/api/settings/{PLUGIN}")
    await put(edge, LOCALE_PLUGIN, "{locale: 'de_DE'}")
    languages = await edge.json("lab/api/translations")
    one = await edge.json(f"lab/api/settings/{PLUGIN}")
    await put(edge, LOCALE_PLUGIN, "{}")
    assert english["schema"]["title"] == "Notebook"
    assert one["schema"]["title"] == "Notizbuch"
    assert one["schema"]["properties"] == english["schema"]["properties"]
    assert languages["data"]["en"] == {"displayName": "Englisch", "nativeName": "English"}
    assert languages["data"]["de_DE"]["nativeName"] == "Deutsch (Deutschland)"
    assert "xx_XX" in languages["message"]


@pytest.mark.usefixtures("german")
async def test_the_catalogs_of_a_language_are_passed_on(edge: Edge) -> None:
    answer = await edge.json("lab/api/translations/de_DE")
    catalog = {"": {"domain": "jupyterlab"}, "File": ["Datei"]}
    assert answer == {"data": {"jupyterlab": catalog}, "message": ""}


def test_the_catalog_of_these_tests_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.mo"
    path.write_bytes(compiled({"schema\x04Notebook": "Notizbuch"}))
    with path.open("rb") as file:
        assert gettext.GNUTranslations(file).pgettext("schema", "Notebook") == "Notizbuch"


async def test_a_new_schema_is_served_without_a_restart(
    make_edge: MakeEdge, empty: Installation, write: Write
) -> None:
    edge = await make_edge(installation=empty)
    assert (await edge.json("lab/api/settings?ids_only=true"))["settings"] == []
    write(empty.schemas_dir / "@me/ext/plugin.json", {"type": "object"})
    assert (await edge.json("lab/api/settings/@me/ext:plugin"))["version"] == "N/A"
    assert isinstance(edge.app[FRONTEND], Frontend)
