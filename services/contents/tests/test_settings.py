"""Where things are kept if nobody says otherwise."""

from pathlib import Path

import pytest
from perijove_chassis.settings import SettingsError, load
from perijove_contents.settings import PREFIX, Settings


def places(root: Path, **more: str) -> dict[str, str]:
    return {f"{PREFIX}LISTEN": "unix:/x", f"{PREFIX}ROOT": str(root)} | {
        f"{PREFIX}{name}": value for name, value in more.items()
    }


def test_documents_are_where_jupyterlab_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/c")
    monkeypatch.setenv("JUPYTER_DATA_DIR", "/d")
    found = load(Settings, PREFIX, places(tmp_path)).places()
    assert (found.config, found.data) == ("/c", "/d")
    assert found.settings == "/c/lab/user-settings"
    assert found.workspaces == "/c/lab/workspaces"
    assert "/c" in found.config_path
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", "/s")
    monkeypatch.setenv("JUPYTERLAB_WORKSPACES_DIR", "/w")
    found = load(Settings, PREFIX, places(tmp_path)).places()
    assert (found.settings, found.workspaces) == ("/s", "/w")
    found = load(Settings, PREFIX, places(tmp_path, CONFIG_PATH="/a:/b", DATA_DIR="/e")).places()
    assert (found.config, found.config_path, found.data) == ("/a", ("/a", "/b"), "/e")


@pytest.mark.parametrize(
    "name", ["UNTITLED_NOTEBOOK", "UNTITLED_FILE", "UNTITLED_DIRECTORY", "CHECKPOINT_DIR"]
)
@pytest.mark.parametrize("value", ["", "..", "a/b", "/a", "a/"])
def test_what_is_to_be_a_name_is_one(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.lower()):
        load(Settings, PREFIX, places(tmp_path, **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"), [("ROOT", "relative"), ("ROOT", "/is/absent"), ("UMASK", "9")]
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{PREFIX}{name}"):
        load(Settings, PREFIX, places(tmp_path, **{name: value}))
