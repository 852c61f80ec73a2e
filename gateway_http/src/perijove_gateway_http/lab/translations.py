"""Language packs: what the front end and the settings say in other languages."""

from __future__ import annotations

import gettext
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from perijove_gateway_http.lab import locales

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger()

LOCALE_PLUGIN = "@jupyterlab/translation-extension:plugin"
"""Plug-in whose setting `locale` is the user's language."""

_PACKS = "jupyterlab.languagepack"
_PACKAGES = "jupyterlab.locale"


@dataclass(frozen=True, slots=True)
class Catalogs:
    """The catalogs of one language by domain, and what there is to say about them."""

    data: dict[str, Any]
    message: str = ""


class LanguagePacks:
    """Finds installed language packs. Calls read the disk: they belong in a thread."""

    def __init__(self, directories: Mapping[str, Path], packages: Mapping[str, Path]) -> None:
        """Make a finder.

        Args:
            directories: Directory of each language pack, by locale.
            packages: Directories of packages that bring translations themselves, by domain.
        """
        self._directories = dict(directories)
        self._packages = dict(packages)

    @classmethod
    def installed(cls) -> LanguagePacks:
        """Return the language packs of this Python environment."""
        return cls(_directories_of(_PACKS), _directories_of(_PACKAGES))

    def __bool__(self) -> bool:
        return bool(self._directories)

    def listing(self, display_locale: str) -> Catalogs:
        """Return the names of the languages, as one language calls them and as they do."""
        pseudo = display_locale == locales.PSEUDO
        within = display_locale if display_locale in self._directories else locales.DEFAULT
        default = "Default" if pseudo else locales.display_name(locales.DEFAULT, within=within)
        native = locales.display_name(locales.DEFAULT, within=locales.DEFAULT)
        names = {locales.DEFAULT: {"displayName": default, "nativeName": native}}
        invalid = []
        for name in self._directories:
            if name == locales.PSEUDO:
                # The menu shows both names: together they make a sentence.
                own = "Pseudo-language" if pseudo else "to translate the UI"
                names[name] = {"displayName": "Pseudo-language", "nativeName": own}
            elif locales.is_valid(name):
                names[name] = {
                    "displayName": locales.display_name(name, within=within),
                    "nativeName": locales.display_name(name, within=name),
                }
            else:
                invalid.append(name)
        message = f"The following locales are invalid: {invalid}!" if invalid else ""
        return Catalogs(names, message)

    def catalogs(self, name: str) -> Catalogs:
        """Return everything translated into a language."""
        directory = self._directories.get(name)
        if directory is None:
            state = "installed" if locales.is_valid(name) else "valid"
            return Catalogs({}, f"Language pack '{name}' not {state}!")
        found: dict[str, Any] = {}
        for path in sorted(directory.rglob("*.json")):
            _add(found, path.stem, path)
        for domain, package in self._packages.items():
            # Without a catalog of its own in the pack, that of the package is what there is.
            path = package / "locale" / name / "LC_MESSAGES" / f"{domain}.json"
            if domain not in found and path.is_file():
                _add(found, domain, path)
        return Catalogs(found)

    def translator(self, name: str, domain: str) -> gettext.NullTranslations:
        """Return what translates a domain's texts into a language, if only into themselves."""
        directory = self._directories.get(name)
        localedir = str(directory / "locale") if directory else None
        if localedir is None:
            return gettext.NullTranslations()
        domain = domain.replace("-", "_")
        return gettext.translation(domain, localedir, languages=[name], fallback=True)


def _add(found: dict[str, Any], domain: str, path: Path) -> None:
    try:
        # Passed on as it is: a catalog is large.
        found[domain] = msgspec.json.decode(path.read_bytes(), type=msgspec.Raw)
    except (OSError, ValueError) as error:
        log.warning("a translation cannot be read", path=str(path), error=str(error))


def _directories_of(group: str) -> dict[str, Path]:
    directories = {}
    for entry in importlib.metadata.entry_points(group=group):
        # Found, not imported: nothing of another package runs in this process.
        try:
            spec = importlib.util.find_spec(entry.module)
        except (ImportError, ValueError):
            spec = None
        if spec and spec.origin:
            directories[entry.name] = Path(spec.origin).parent
        else:
            log.warning("a language pack is not there", locale=entry.name)
    return directories
