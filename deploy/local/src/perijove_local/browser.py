"""Opens the front end in the user's browser."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

from perijove_local.descendants import SPARED
from perijove_local.directory import write_private

if TYPE_CHECKING:
    from pathlib import Path


def can_open() -> bool:
    """Return whether there is a screen to open a browser on."""
    return sys.platform != "linux" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def open_page(url: str, page: Path) -> None:
    """Open a URL in the browser, which outlives this process.

    The browser is given a private file, `page`, that leads there: its command line, which
    everyone on the machine can read, must not hold the token.
    """
    target = quote(url, safe="/:?=&%").replace("&", "&amp;")
    write_private(
        page,
        '<!DOCTYPE html><meta charset="utf-8"><title>Perijove</title>'
        f'<meta http-equiv="refresh" content="0;url={target}">'
        f'<a href="{target}">Continue to Jupyter</a>\n',
    )
    nothing = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "webbrowser", page.as_uri()],
        os.environ | {SPARED: "1"},
        file_actions=nothing,
        setsid=True,
    )
