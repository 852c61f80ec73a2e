"""Names of languages."""

from __future__ import annotations

import locale

import babel

DEFAULT = "en"
PSEUDO = "ach_UG"
"""The language that translators use to see texts in their place."""

# Known to no standard, but in use.
_EXCEPTIONS = frozenset(("no_NO",))


def is_valid(name: str) -> bool:
    """Whether a name such as `pt_BR` is that of a language."""
    if name in _EXCEPTIONS:
        return True
    try:
        babel.Locale.parse(name)
    except (babel.UnknownLocaleError, ValueError, TypeError):
        return False
    return True


def display_name(name: str, *, within: str) -> str:
    """Return what a language is called within another one."""
    if name == within == DEFAULT:
        # What babel knows of a language takes 6 MB. Without a language pack, none of it is needed.
        return "English"
    shown = babel.Locale.parse(name if is_valid(name) else DEFAULT)
    text = shown.get_display_name(within if is_valid(within) else DEFAULT) or name
    return text[:1].upper() + text[1:]


def of_system() -> str:
    """Return the language of this process' environment."""
    return locale.getlocale()[0] or DEFAULT


def resolve(name: str | None) -> str:
    """Return the language that a setting means; `default` is that of the system."""
    if not name or name == "default":
        return of_system()
    return name if name == PSEUDO or is_valid(name) else DEFAULT
