"""The applications that pages start: JupyterLab, and Jupyter Notebook beside it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FrontEndApp:
    """One installed application. Both share settings, themes and extensions."""

    name: str
    """Where its bundle is below `static`, and what it calls itself to extensions."""
    title: str
    """What people call it."""
    version: str
    static_dir: Path
    """Its bundle."""
    templates_dir: Path
    """What its build made of pages."""
    index: str
    """The one of them that names the scripts to start with."""


def notebook() -> FrontEndApp | None:
    """Return the Jupyter Notebook of this Python environment; None if there is none.

    Only from version 7 on it is a front end like JupyterLab.
    """
    try:
        version = importlib.metadata.version("notebook")
        package = package_dir("notebook")
    except ModuleNotFoundError:  # which a missing distribution is, too
        return None
    static_dir, templates_dir = package / "static", package / "templates"
    if not (templates_dir / "tree.html").is_file() or version.split(".")[0] < "7":
        return None
    return FrontEndApp(
        name="notebook",
        title="Jupyter Notebook",
        version=version,
        static_dir=static_dir,
        templates_dir=templates_dir,
        index="tree.html",
    )


def lab(app_dir: Path) -> FrontEndApp | None:
    """Return the JupyterLab of an application directory; None if there is none.

    Args:
        app_dir: As JupyterLab names it.
    """
    try:
        version = importlib.metadata.version("jupyterlab")
    except importlib.metadata.PackageNotFoundError:
        return None
    static_dir = app_dir / "static"
    return FrontEndApp(
        name="lab",
        title="JupyterLab",
        version=version,
        static_dir=static_dir,
        templates_dir=static_dir,
        index="index.html",
    )


def package_dir(name: str) -> Path:
    """Return where a package is, without importing it.

    Raises:
        ModuleNotFoundError: if it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name=name)
    return Path(spec.origin).parent
