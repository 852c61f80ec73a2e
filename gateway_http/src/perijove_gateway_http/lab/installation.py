"""Where JupyterLab and what extends it is installed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_config_dir, jupyter_config_path, jupyter_path

from perijove_gateway_http.lab import apps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_gateway_http.lab.apps import FrontEndApp


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
    custom_dir: Path
    """The user's own style, `custom.css`, and what it refers to."""
    prefix: Path
    """Prefix of the Python environment."""
    lab: FrontEndApp | None
    """JupyterLab, if it is installed."""
    notebook: FrontEndApp | None
    """Jupyter Notebook, if it is installed."""

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Installation:
        """Return the installation that belongs to this Python environment.

        Args:
            environ: `JUPYTERLAB_DIR` names another application directory. The
                search paths come from Jupyter's own variables.
        """
        configured = environ.get("JUPYTERLAB_DIR")
        prefix = Path(sys.prefix)
        app_dir = Path(configured).resolve() if configured else prefix / "share/jupyter/lab"
        return cls(
            app_dir=app_dir,
            labextensions_path=tuple(Path(path) for path in jupyter_path("labextensions")),
            config_path=tuple(Path(path) for path in jupyter_config_path()),
            favicons_dir=apps.package_dir("jupyter_server") / "static/favicons",
            custom_dir=Path(jupyter_config_dir()) / "custom",
            prefix=prefix,
            lab=apps.lab(app_dir),
            notebook=apps.notebook(),
        )

    @property
    def static_dir(self) -> Path:
        """The bundle of JupyterLab."""
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
