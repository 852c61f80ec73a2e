"""Where JupyterLab and Jupyter look for documents, by their names."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from perijove_contents.documents.model import Collection

if TYPE_CHECKING:
    from perijove_contents.documents.model import DocumentKey

CONFIG_SUFFIX = ".json"
SETTINGS_SUFFIX = ".jupyterlab-settings"
WORKSPACE_SUFFIX = ".jupyterlab-workspace"

_CONFIG_DIRECTORY = "serverconfig"
_MAX_WORKSPACE_NAME = 128
_DIGEST_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """The directories that hold documents."""

    config: str
    """Jupyter configuration of the user."""
    config_path: tuple[str, ...]
    """Jupyter configuration of all, best first; usually `config` among them."""
    settings: str
    workspaces: str

    def locate(self, key: DocumentKey) -> str:
        """Return the place of what the user stored."""
        match key.collection:
            case Collection.CONFIG:
                return os.path.join(self.config, _CONFIG_DIRECTORY, key.id + CONFIG_SUFFIX)
            case Collection.SETTINGS:
                package, _, plugin = key.id.partition(":")
                return os.path.join(self.settings, package, plugin + SETTINGS_SUFFIX)
            case Collection.WORKSPACES:
                return os.path.join(self.workspaces, workspace_file_name(key.id))

    def config_directories(self) -> list[str]:
        """Return where configuration sections are, the weakest first."""
        path = (
            self.config_path
            if self.config in self.config_path
            else (self.config, *self.config_path)
        )
        return [os.path.join(directory, _CONFIG_DIRECTORY) for directory in reversed(path)]


def workspace_file_name(name: str) -> str:
    """Return the file name that JupyterLab gives to a workspace.

    It is a readable form of the name and a few digits of its digest.
    """
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    text = unicodedata.normalize("NFKC", unquote(name.lower()))
    text = text.encode("ascii", "ignore").decode()
    text = re.sub(r"[^\w\s-]", "", text).strip()
    text = re.sub(r"[-\s]+", "-", text)
    longest = _MAX_WORKSPACE_NAME - len(WORKSPACE_SUFFIX) - len(digest) - 1
    return f"{text[:longest]}-{digest}{WORKSPACE_SUFFIX}"
