"""The frame of the few pages that are not a front end's: login, errors, waiting."""

from __future__ import annotations

import html

_STYLE = """\
body { color: #222; font: 16px/1.5 system-ui, sans-serif; margin: 14vh auto; max-width: 34em;
  padding: 0 1em }
h1 { font-size: 1.5em; font-weight: 600 }
a { color: #1a5fb4 }
label { display: block; margin-bottom: .2em }
input { border: 1px solid #999; border-radius: 4px; box-sizing: border-box; font: inherit;
  padding: .4em .6em; width: 20em; max-width: 100% }
button { background: #c4560a; border: 0; border-radius: 4px; color: #fff; cursor: pointer;
  font: inherit; padding: .45em 1em }
:focus-visible { outline: 2px solid #1a5fb4; outline-offset: 2px }
[role=alert] { border-left: 4px solid #b3261e; padding-left: .7em }
.aside { color: #555; font-size: .9em }
@media (prefers-color-scheme: dark) {
  body { background: #111; color: #ddd }
  a { color: #8ab4f8 }
  input { background: #222; border-color: #666; color: inherit }
  :focus-visible { outline-color: #8ab4f8 }
  .aside { color: #aaa }
}
"""


def page(title: str, body: str, head: str = "") -> str:
    """Return a page as HTML.

    Args:
        title: Of the window, as plain text.
        body: What is in it, as HTML.
        head: What else the head is to hold, as HTML.
    """
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n'
        "<head>\n"
        '<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_STYLE}</style>\n"
        f"{head}</head>\n"
        f"<body>\n{body}</body>\n"
        "</html>\n"
    )
