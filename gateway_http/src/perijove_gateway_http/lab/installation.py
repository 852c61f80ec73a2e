"""Where JupyterLab and what extends it is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_config_path, jupyter_path

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Installation:
    """The directories of one JupyterLab, as its documentation names them."""

    app_dir: Path
    """Holds `static`, `schemas`, `themes` and `settings`."""
    labextensions_path: tuple[Path, ...]
    """Where prebuilt extensions are, the first one that has a name wins."""
    config_path: tuple[Path, ...]
    """Where configuration is, the first one wins."""
    favicons_dir: Path
    """Icons that the page asks for."""
    version: str
    """Version of JupyterLab."""
    prefix: Path
    """Prefix of the Python environment."""

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Installation:
        """Return the installation that belongs to this Python environment.

        Args:
            environ: `JUPYTERLAB_DIR` names another application directory. The
                search paths come from Jupyter's own variables.
        """
        configured = environ.get("JUPYTERLAB_DIR")
        prefix = Path(sys.prefix)
        return cls(
            app_dir=Path(configured).resolve() if configured else prefix / "share/jupyter/lab",
            labextensions_path=tuple(Path(path) for path in jupyter_path("labextensions")),
            config_path=tuple(Path(path) for path in jupyter_config_path()),
            favicons_dir=_package_dir("jupyter_server") / "static/favicons",
            version=importlib.metadata.version("jupyterlab"),
            prefix=prefix,
        )

    @property
    def static_dir(self) -> Path:
        """The application bundle."""
        return self.app_dir / "static"

    @property
    def schemas_dir(self) -> Path:
        """The schemas of the settings of the plug-ins in the bundle."""
        return self.app_dir / "schemas"

    @property
    def themes_dir(self) -> Path:
        """The themes of the bundle."""
        return self.app_dir / "themes"

    @property
    def settings_dir(self) -> Path:
        """What an administrator sets for all users."""
        return self.app_dir / "settings"


def _package_dir(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name=name)
    return Path(spec.origin).parent
