"""What the contents process is told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

import msgspec
from jupyter_core import paths
from perijove_chassis.settings import ServerSettings

from perijove_contents.backends.checkpoints import CHECKPOINTS
from perijove_contents.backends.locks import LOCK_NAME
from perijove_contents.backends.unfinished import TEMPORARY_PREFIX
from perijove_contents.model import is_name
from perijove_contents.naming import AS_JUPYTER, Untitled
from perijove_contents.visibility import UNLISTED, Visibility

PREFIX = "PERIJOVE_CONTENTS_"


@dataclass(frozen=True, slots=True)
class Places:
    """Directories on this machine."""

    data: str
    config: str
    config_path: tuple[str, ...]
    """Best first."""
    settings: str
    workspaces: str

    @property
    def written(self) -> tuple[str, ...]:
        """Those in which documents are stored."""
        return (self.config, self.settings, self.workspaces)


class Settings(ServerSettings, frozen=True, kw_only=True):
    """Settings of the contents process; see `ServerSettings` for the rest."""

    root: str
    """Absolute directory whose entries are served."""
    events: str = ""
    """gRPC target of the service that publishes events; none are if empty."""
    max_calls: int = 1000
    """How many calls are served at the same time: each may hold a piece of a file."""
    threads: int = 16
    """How many calls may wait for the storage at the same time."""
    notebook_threads: int = 2
    """How many notebooks are parsed at the same time."""
    recent_notebook_bytes: int = 32 * 1024 * 1024
    """How much memory the notebooks read lately may take, so that they are not parsed again."""
    max_content_bytes: int = 512 * 1024 * 1024
    """Largest file or notebook that is written."""
    max_copy_bytes: int = 500 * 1024 * 1024
    """Largest directory that is copied."""
    conversion_workers: int = 1
    """How many notebooks are converted at the same time, each in a process of its own."""
    conversion_timeout_s: float = 60.0
    """Longest time that a conversion may take."""
    conversion_memory_bytes: int = 2 * 1024**3
    """Most memory that a conversion may take."""
    conversion_output_bytes: int = 256 * 1024 * 1024
    """Largest output of a conversion."""
    conversion_idle_s: float = 120.0
    """How long a process for conversions is kept while there is none."""
    delete_to_trash: bool = True
    """Whether what is deleted can be got back from the desktop's trash."""
    always_delete_directories: bool = False
    """Whether a directory that is not empty is deleted for good."""
    allow_hidden: bool = False
    """Whether entries whose names begin with a dot are like any other."""
    hide_globs: str = ",".join(UNLISTED)
    """Patterns, as of a shell, commas between, of names that listings leave out."""
    untitled_notebook: str = AS_JUPYTER.notebook
    """What notebooks are called that nobody has named."""
    untitled_file: str = AS_JUPYTER.file
    """The same for files."""
    untitled_directory: str = AS_JUPYTER.directory
    """The same for directories."""
    checkpoint_dir: str = CHECKPOINTS
    """Name of the directories, each beside the files, that hold checkpoints."""
    links_leave_root: bool = True
    """Whether links out of the root are followed, as people expect of links they made.

    Whoever serves the files of people who must not see each other's says no:
    then they lead nowhere, whoever puts them where and when.
    """
    umask: Annotated[str, msgspec.Meta(pattern="^[0-7]{1,4}$")] = "022"
    """Permission bits, in octal, that new entries of the tree do not have."""
    save_hook_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    """Seconds that each save hook may take; the save is refused if one that could refuse it
    takes longer."""
    watch_poll_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Seconds between two looks for changes, for a root that other machines change, too.

    The system reports only what this one changes, on network file systems; 0 to
    rely on its reports."""
    watch_entries: int = 200_000
    """Largest tree that is watched, in entries; each costs some 200 bytes."""
    data_dir: str = ""
    """Where notebook signatures are; Jupyter's data directory if empty."""
    config_dir: str = ""
    """Where the user's configuration is; the first of `config_path`, or Jupyter's, if empty."""
    config_path: str = ""
    """Directories with configuration of all, best first, colons between; Jupyter's if empty."""
    settings_dir: str = ""
    """Where front-end settings are; JupyterLab's place if empty."""
    workspaces_dir: str = ""
    """Where workspaces are; JupyterLab's place if empty."""

    def __post_init__(self) -> None:
        """Refuse what cannot be served.

        Raises:
            ValueError: if the root is no absolute directory, what is to be a name is
                none, or two settings exclude each other.
        """
        if not os.path.isabs(self.root) or not os.path.isdir(self.root):
            raise ValueError("`root` must be an absolute directory that exists")
        for name in ("untitled_notebook", "untitled_file", "untitled_directory", "checkpoint_dir"):
            if not is_name(getattr(self, name)):
                raise ValueError(f"`{name}` must be the name of an entry")
        if self.delete_to_trash and not self.links_leave_root:
            raise ValueError(
                "`delete_to_trash` must be off if `links_leave_root` is: the trash is elsewhere"
            )

    def seen(self) -> Visibility:
        """Return what people see of the tree: nothing of what this process has in hand."""
        own = (f"{TEMPORARY_PREFIX}*", LOCK_NAME) if self.allow_hidden else ()
        globs = (glob.strip() for glob in self.hide_globs.split(","))
        return Visibility(shows_hidden=self.allow_hidden, unlisted=(*filter(None, globs), *own))

    def untitled(self) -> Untitled:
        """Return what entries are called that nobody has named."""
        return Untitled(self.untitled_notebook, self.untitled_file, self.untitled_directory)

    def places(self) -> Places:
        """Return where everything besides the tree is kept."""
        config_path = self.config_path.split(os.pathsep) if self.config_path else []
        config = self.config_dir or next(iter(config_path), paths.jupyter_config_dir())
        environ = os.environ
        return Places(
            data=self.data_dir or paths.jupyter_data_dir(),
            config=config,
            config_path=tuple(config_path or paths.jupyter_config_path()),
            settings=self.settings_dir
            or environ.get("JUPYTERLAB_SETTINGS_DIR")
            or os.path.join(config, "lab", "user-settings"),
            workspaces=self.workspaces_dir
            or environ.get("JUPYTERLAB_WORKSPACES_DIR")
            or os.path.join(config, "lab", "workspaces"),
        )
