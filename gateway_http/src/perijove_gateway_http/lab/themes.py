"""Themes: the files that give the front end its looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from perijove_gateway_http.lab.memo import FileMemo

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_gateway_http.lab.extensions import Extensions
    from perijove_gateway_http.lab.installation import Installation

_URL = re.compile(r"""url\(\s*(?P<quote>['"]?)(?P<url>[^'"()\s]+)(?P=quote)\s*\)""")


class Themes:
    """Finds the files of themes. Calls read the disk: they belong in a thread."""

    def __init__(self, installation: Installation, extensions: Extensions) -> None:
        self._installation = installation
        self._extensions = extensions
        self._css: FileMemo[str] = FileMemo(lambda _, content: content.decode(), capacity=16)

    def roots(self) -> list[Path]:
        """Return the directories to look in, in order."""
        federated = [extension.directory / "themes" for extension in self._extensions.scan()]
        return [*federated, self._installation.themes_dir]

    def stylesheet(self, path: Path, directory_url: str) -> str:
        """Return a stylesheet whose relative addresses begin with that of its directory.

        The front end may insert the text into the page, where they would
        otherwise be relative to the page.
        """
        return absolute_urls(self._css.get(path), directory_url)


def absolute_urls(css: str, directory_url: str) -> str:
    """Put a directory's address in front of the relative addresses of a stylesheet."""

    def replaced(match: re.Match[str]) -> str:
        url = match["url"]
        if url.startswith(("/", "#")) or urlsplit(url).scheme:
            return match[0]
        mark = match["quote"]
        return f"url({mark}{quote(directory_url, safe='/@%')}/{url}{mark})"

    return _URL.sub(replaced, css)
