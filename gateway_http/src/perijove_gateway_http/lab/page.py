"""The HTML pages that front ends start from."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from perijove_gateway_http.lab.memo import FileMemo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perijove_gateway_http.lab.apps import FrontEndApp
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
{links}
{scripts}
</head>
<body class="jp-ThemedContainer"{attributes}>
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


@dataclass(frozen=True, slots=True)
class Look:
    """What a page shows before its application runs."""

    title: str = ""
    """If empty, the name of the application."""
    icon: str = "favicon.ico"
    busy_icon: str = ""
    """What the application may show in its place; none if empty."""
    attributes: str = ""
    """Further attributes of the body, by which the application's style knows the page."""
    custom_css: bool = False
    """Whether the user's own style comes with it."""


class Pages:
    """Renders pages around installed bundles. Calls read the disk."""

    def __init__(self) -> None:
        self._entries: FileMemo[list[str]] = FileMemo(_entry_scripts, capacity=4)

    def render(self, app: FrontEndApp, look: Look, config: JsonObject) -> str:
        """Return the page of an application with a configuration.

        Raises:
            BundleMissing: if there is nothing to start.
        """
        try:
            entries = self._entries.get(app.templates_dir / app.index)
        except OSError:
            raise BundleMissing("the application is not installed") from None
        if not entries:
            raise BundleMissing("the application has no entry")
        static_url = html.escape(config["fullStaticUrl"])
        scripts = [f'<script defer src="{static_url}/{entry}"></script>' for entry in entries]
        return _TEMPLATE.format(
            title=html.escape(look.title or config["appName"]),
            config=embed(config),
            links="\n".join(_links(look, html.escape(config["baseUrl"]))),
            scripts="\n".join(scripts),
            attributes=look.attributes and f" {look.attributes}",
        )


def embed(value: object) -> str:
    """Return a value as JSON that is safe inside a script element."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _links(look: Look, base: str) -> Iterator[str]:
    icons = f'type="image/x-icon" href="{base}static/favicons'
    kind = "idle favicon" if look.busy_icon else "favicon"
    yield f'<link rel="icon" {icons}/{look.icon}" class="{kind}">'
    if look.busy_icon:
        yield f'<link rel="" {icons}/{look.busy_icon}" class="busy favicon">'
    if look.custom_css:
        yield f'<link rel="stylesheet" href="{base}custom/custom.css">'


def _entry_scripts(path: Path, content: bytes) -> list[str]:
    del path
    return _SCRIPT.findall(content.decode())
