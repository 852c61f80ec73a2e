"""The HTML page that JupyterLab starts from."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.lab.memo import FileMemo

if TYPE_CHECKING:
    from pathlib import Path

    from perijove_gateway_http.lab.config import JsonObject

_SCRIPT = re.compile(r'<script[^>]*\ssrc="\{\{\s*page_config\.fullStaticUrl\s*\}\}/([^"{}]+)"')

_TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script id="jupyter-config-data" type="application/json">{config}</script>
<link rel="icon" type="image/x-icon" href="{base}static/favicons/favicon.ico" class="idle favicon">
<link rel="" type="image/x-icon" href="{base}static/favicons/favicon-busy-1.ico"
 class="busy favicon">
{scripts}
</head>
<body class="jp-ThemedContainer">
<script>
  // A token in the address would stay in the history and in copied links.
  const address = new URL(window.location.href);
  if (address.searchParams.has("token")) {{
    address.searchParams.delete("token");
    window.history.replaceState({{}}, "", address.href);
  }}
</script>
</body>
</html>
"""


class BundleMissing(Exception):
    """The application bundle is not installed or not as expected."""


class Page:
    """Renders the page around the installed bundle. Calls read the disk."""

    def __init__(self, static_dir: Path) -> None:
        self._index = static_dir / "index.html"
        self._entries: FileMemo[list[str]] = FileMemo(_entry_scripts, capacity=1)

    def render(self, config: JsonObject) -> str:
        """Return the page with a configuration.

        Raises:
            BundleMissing: if there is nothing to start.
        """
        try:
            entries = self._entries.get(self._index)
        except OSError:
            raise BundleMissing("the application is not installed") from None
        if not entries:
            raise BundleMissing("the application has no entry")
        static_url = html.escape(config["fullStaticUrl"])
        scripts = [f'<script defer src="{static_url}/{entry}"></script>' for entry in entries]
        return _TEMPLATE.format(
            title=html.escape(config["appName"]),
            config=embed(config),
            base=html.escape(config["baseUrl"]),
            scripts="\n".join(scripts),
        )


def embed(value: object) -> str:
    """Return a value as JSON that is safe inside a script element."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _entry_scripts(path: Path, content: bytes) -> list[str]:
    del path
    return _SCRIPT.findall(content.decode())
