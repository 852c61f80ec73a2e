"""What people plug into saving: loaded from an installed package, called, limited, mistrusted."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from perijove_chassis import errors
from perijove_contents.backends.memory import MemoryStore
from perijove_contents.backends.save_hooks import (
    GROUP,
    HookedCodec,
    HookNotLoadedError,
    SaveHook,
    SaveHooks,
    installed_hooks,
    teller,
)
from perijove_contents.content import Write
from perijove_contents.manager import ContentsManager, Rules
from perijove_contents.model import ContentFormat, EntryPath, WritePart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perijove_contents.backends.codec import NbformatCodec

NOTEBOOK: dict[str, Any] = {
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "text"}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}

MODULE = """
told = []

class Stamp:
    def pre_save(self, path, notebook):
        if "secret" in str(notebook):
            raise ValueError("no secrets here")
        notebook["metadata"]["stamp"] = path

    def post_save(self, path, location):
        told.append((path, location))
"""


def install(directory: Path, module: str, points: dict[str, str]) -> None:
    """Put a package on the path, as installers do."""
    (directory / "hooks_of_test.py").write_text(module)
    info = directory / "hooks_of_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hooks-of-test\nVersion: 1.0\n")
    lines = "".join(f"{name} = hooks_of_test:{value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Saving:
    """A manager with hooks."""

    def __init__(self, codec: NbformatCodec, *hooks: SaveHook, timeout_s: float = 30.0) -> None:
        self.store = MemoryStore()
        run = SaveHooks(hooks, timeout_s)
        hooked = HookedCodec(codec, run)
        self.manager = ContentsManager(self.store, hooked, Rules(), teller(run, self.store))

    async def save(self, path: str, data: bytes, **plan: Any) -> None:
        plan = {"type": None, "format": None, "part": WritePart.WHOLE, **plan}
        await self.manager.write(Write.plan(EntryPath.parse(path), **plan), content(data))

    async def saved(self, path: str) -> Any:
        opened = await self.store.open(EntryPath.parse(path))
        return json.loads(await opened.whole())


def hook(name: str = "h", pre: Any = None, post: Any = None) -> SaveHook:
    return SaveHook(name, pre, post)


async def test_an_installed_hook_changes_refuses_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: NbformatCodec
) -> None:
    install(tmp_path, MODULE, {"stamp": "Stamp"})
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = installed_hooks()
    assert found.name == "stamp"
    saving = Saving(codec, found)
    await saving.save("a.ipynb", json.dumps(NOTEBOOK).encode())
    assert (await saving.saved("a.ipynb"))["metadata"] == {"stamp": "a.ipynb"}
    model = json.dumps({"type": "notebook", "content": NOTEBOOK}).encode()
    await saving.save("b.ipynb", model, format=ContentFormat.MODEL)
    assert (await saving.saved("b.ipynb"))["metadata"] == {"stamp": "b.ipynb"}
    refused = json.dumps({**NOTEBOOK, "metadata": {"x": "secret"}}).encode()
    with pytest.raises(errors.FailedPrecondition, match=r"stamp refused a\.ipynb: no secrets") as e:
        await saving.save("a.ipynb", refused)
    assert e.value.reason == "SAVE_REFUSED"
    assert (await saving.saved("a.ipynb"))["metadata"] == {"stamp": "a.ipynb"}
    created = await saving.manager.create(EntryPath(()), None, ".ipynb")
    assert (await saving.saved(str(created.path)))["metadata"] == {"stamp": "Untitled.ipynb"}
    import hooks_of_test  # type: ignore[import-not-found]

    assert hooks_of_test.told == [("a.ipynb", "/a.ipynb"), ("b.ipynb", "/b.ipynb")]


async def test_a_file_is_told_of_when_it_is_whole(codec: NbformatCodec) -> None:
    told: list[str] = []
    saving = Saving(codec, hook(post=lambda path, _: told.append(path)))
    await saving.save("a.txt", b"x")
    await saving.save("b.txt", b"x", part=WritePart.FIRST)
    await saving.save("b.txt", b"x", part=WritePart.NEXT)
    assert told == ["a.txt"]
    await saving.save("b.txt", b"x", part=WritePart.LAST)
    assert told == ["a.txt", "b.txt"]


async def test_hooks_follow_each_other(codec: NbformatCodec) -> None:
    def replace(_: str, notebook: dict[str, Any]) -> dict[str, Any]:
        return {**notebook, "metadata": {"seen": [*notebook["metadata"].get("seen", []), 1]}}

    saving = Saving(codec, hook("a", replace), hook("b", replace), hook("c"))
    await saving.save("a.ipynb", json.dumps(NOTEBOOK).encode())
    assert (await saving.saved("a.ipynb"))["metadata"] == {"seen": [1, 1]}


def broken(*_: object) -> None:
    raise OSError("/a/secret/place")


async def test_a_hook_that_fails_refuses_without_telling_why(codec: NbformatCodec) -> None:
    for pre, why in ((broken, "failed"), (lambda *_: 3, "returned no notebook")):
        saving = Saving(codec, hook("bad", pre))
        with pytest.raises(errors.FailedPrecondition, match=f"bad refused a.ipynb.* {why}") as e:
            await saving.save("a.ipynb", json.dumps(NOTEBOOK).encode())
        assert "secret" not in str(e.value)
        with pytest.raises(errors.NotFound):
            await saving.saved("a.ipynb")


async def test_a_hook_that_fails_afterwards_changes_nothing(codec: NbformatCodec) -> None:
    told: list[str] = []
    saving = Saving(
        codec, hook("bad", post=broken), hook("good", post=lambda path, _: told.append(path))
    )
    await saving.save("a.ipynb", json.dumps(NOTEBOOK).encode())
    assert (await saving.saved("a.ipynb"))["cells"]
    assert told == ["a.ipynb"]


async def test_a_hook_has_limited_time(codec: NbformatCodec) -> None:
    release = threading.Event()

    def slow(*_: object) -> None:
        release.wait()

    saving = Saving(codec, hook("slow", slow), timeout_s=0.2)
    with pytest.raises(errors.FailedPrecondition, match=r"hook slow did not end within 0\.2 s"):
        await saving.save("a.ipynb", json.dumps(NOTEBOOK).encode())
    saving = Saving(codec, hook("slow", post=slow), timeout_s=0.2)
    await saving.save("a.ipynb", json.dumps(NOTEBOOK).encode())
    assert (await saving.saved("a.ipynb"))["cells"]
    release.set()


async def test_what_is_no_notebook_is_refused_as_without_hooks(codec: NbformatCodec) -> None:
    saving = Saving(codec, hook(pre=broken))
    for data in (b"", b"{", b"[]", b'"x"', b"1" * 5000):
        with pytest.raises(errors.InvalidArgument) as caught:
            await saving.save("a.ipynb", data)
        assert caught.value.reason == "BAD_FORMAT"


def test_a_hook_that_cannot_be_used_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "nothing = object()\n", {"empty": "nothing", "gone": "absent"})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HookNotLoadedError, match="empty"):
        installed_hooks()
    (tmp_path / "hooks_of_test-1.0.dist-info" / "entry_points.txt").write_text(
        f"[{GROUP}]\ngone = hooks_of_test:absent\n"
    )
    with pytest.raises(HookNotLoadedError, match="gone"):
        installed_hooks()
