"""Which texts of a settings schema are for people, and so are translated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gettext

    from perijove_gateway_http.lab.config import JsonObject
    from perijove_gateway_http.lab.translations import LanguagePacks

_I18N = "jupyter.lab.internationalization"
_DEFAULT_DOMAIN = "jupyterlab"

# Where a text is says in which context translators find it.
_CONTEXTS = {
    "properties/.*/title": "settings",
    "properties/.*/description": "settings",
    "definitions/.*/properties/.*/title": "settings",
    "definitions/.*/properties/.*/description": "settings",
    "title": "schema",
    "description": "schema",
    r"jupyter\.lab\.setting-icon-label": "settings",
    r"jupyter\.lab\.menus/.*/label": "menu",
    r"jupyter\.lab\.toolbars/.*/label": "toolbar",
}


def translated(schema: JsonObject, packs: LanguagePacks, locale: str) -> JsonObject:
    """Return a schema with its texts in a language."""
    i18n = schema.get(_I18N, {})
    translator = packs.translator(locale, i18n.get("domain", _DEFAULT_DOMAIN))
    contexts = {**_CONTEXTS, **dict.fromkeys(i18n.get("selectors", ()), "schema")}
    patterns = [(re.compile("/" + place), context) for place, context in contexts.items()]
    result: JsonObject = _walk(schema, "", patterns, translator)
    return result


def _walk(
    value: Any,  # noqa: ANN401 - any JSON value
    place: str,
    patterns: list[tuple[re.Pattern[str], str]],
    translator: gettext.NullTranslations,
) -> Any:  # noqa: ANN401 - the same
    if isinstance(value, dict):
        return {
            key: _walk(member, f"{place}/{key}", patterns, translator)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [
            _walk(item, f"{place}[{index}]", patterns, translator)
            if isinstance(item, dict)
            else item
            for index, item in enumerate(value)
        ]
    if isinstance(value, str):
        for pattern, context in patterns:
            if pattern.fullmatch(place):
                return translator.pgettext(context, value)
    return value
