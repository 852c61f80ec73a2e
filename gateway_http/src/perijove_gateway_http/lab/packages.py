"""Which extensions are installed, for the extension manager, which can only look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from perijove_gateway_http.lab.config import JsonObject
    from perijove_gateway_http.lab.extensions import Extension

_PRE_RELEASES = {"a": "alpha", "b": "beta", "rc": "rc"}


def package_model(extension: Extension, disabled: Collection[str]) -> JsonObject:
    """Return what the extension manager shows of an extension."""
    package = extension.package
    version = semver(str(package["version"]))
    return {
        "name": extension.name,
        "description": package.get("description", ""),
        "homepage_url": extension.homepage_url,
        "pkg_type": "prebuilt",
        "allowed": True,
        "approved": False,
        "companion": _companion(extension),
        "core": False,
        "enabled": extension.name not in disabled,
        "install": extension.install,
        "installed": True,
        "installed_version": version,
        # Asking a package index is not for this process.
        "latest_version": version,
        "status": "ok" if extension.build else "error",
        "author": _named(package.get("author"), "name"),
        "license": package.get("license"),
        "bug_tracker_url": _named(package.get("bugs"), "url"),
        "documentation_url": None,
        "package_manager_url": None,
        "repository_url": extension.repository_url,
    }


def semver(version: str) -> str:
    """Return a Python version as the front end compares versions."""
    version = re.sub(r"\.(dev|post)\d+", "", version)
    return re.sub(
        r"(a|b|rc)(\d+)$", lambda match: f"-{_PRE_RELEASES[match[1]]}.{match[2]}", version
    )


def _companion(extension: Extension) -> str | None:
    discovery = extension.lab.get("discovery") or {}
    return next((kind for kind in ("server", "kernel") if kind in discovery), None)


def _named(value: Any, key: str) -> Any:  # noqa: ANN401 - any JSON value
    return value.get(key) if isinstance(value, dict) else value
