"""Where on this machine that is which a conversion needs: programs and templates."""

from __future__ import annotations

import os
import sys

from jupyter_core import paths

_PROGRAMS = (
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/opt",
    "/nix/store",
    # For the loader, MIME types, fonts and TeX: not all of the configuration.
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/papersize",
    "/etc/texmf",
    "/var/cache/fontconfig",
    "/var/lib/texmf",
)
_OF_JUPYTER = ("nbconvert", "labextensions")


def readable_places(config_dir: str) -> list[str]:
    """Return the files and directories that a conversion may read.

    Args:
        config_dir: Jupyter's configuration, whose style sheet templates may include.
    """
    # Jupyter's directories hold secrets as well: only what is for conversions.
    of_jupyter = (os.path.join(path, name) for path in paths.jupyter_path() for name in _OF_JUPYTER)
    return [
        *_PROGRAMS,
        *_directories_of_programs(),
        sys.prefix,
        sys.base_prefix,
        *(path for path in sys.path if path),
        *of_jupyter,
        os.path.join(config_dir, "custom"),
    ]


def _directories_of_programs() -> list[str]:
    found = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return [path for path in found if os.path.isabs(path) and os.path.basename(path)]
