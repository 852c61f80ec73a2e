"""The licences of everything that the front end is built of."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from perijove_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perijove_gateway_http.lab.config import ConfigFiles, JsonObject
    from perijove_gateway_http.lab.extensions import Extensions
    from perijove_gateway_http.lab.installation import Installation

_FILES = ("third-party-licenses.json", "static/third-party-licenses.json")
_FIELDS = ("name", "versionInfo", "licenseId", "extractedText")
_UNKNOWN = "UNKNOWN"

# Regular expressions come from the client: only what cannot run away is taken.
_HARMLESS = re.compile(r"\^?(?:[\w@/ -]|\\[^\w\s]|\.|\.\*|\|)*\$?", re.ASCII)
_MAX_PATTERN, _MAX_STARS = 200, 3

log = structlog.get_logger()


class _Report(msgspec.Struct):
    packages: list[dict[str, Any]]


# Made here: two threads must not be the first that use a type at the same time.
_report = msgspec.json.Decoder(_Report)


class Licenses:
    """Reports licences. Calls read the disk: they belong in a thread."""

    def __init__(
        self, installation: Installation, config: ConfigFiles, extensions: Extensions
    ) -> None:
        self._installation = installation
        self._config = config
        self._extensions = extensions

    def bundles(self, pattern: str) -> JsonObject:
        """Return the packages in each bundle whose name begins as a pattern says.

        Raises:
            InvalidArgument: if the pattern is none, or could take forever.
        """
        wanted = _compile(pattern)
        places = {one.name: one.directory for one in self._extensions.scan()}
        static_dir = self._installation.static_dir
        if name := self._config.read(static_dir / "package.json").get("name"):
            places[name] = static_dir
        return {
            name: {"packages": self._packages(place)}
            for name, place in places.items()
            if wanted.match(name)
        }

    @staticmethod
    def _packages(place: Path) -> list[JsonObject]:
        for name in _FILES:
            try:
                # Not kept: it is large, and seldom asked for.
                return _report.decode((place / name).read_bytes()).packages
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                log.warning("licences cannot be read", path=str(place / name), error=str(error))
        return []


def report(bundles: JsonObject, form: str, *, full_text: bool) -> tuple[bytes, str]:
    """Return a report and its media type.

    Raises:
        InvalidArgument: if there is no such form.
    """
    makers: dict[str, tuple[Callable[[], str], str]] = {
        "json": (lambda: _json(bundles), "application/json"),
        "csv": (lambda: _csv(bundles), "text/csv"),
        "markdown": (lambda: _markdown(bundles, full_text=full_text), "text/markdown"),
    }
    if form not in makers:
        raise InvalidArgument(f"Unsupported report format {form[:40]}.")
    make, media_type = makers[form]
    return make().encode(), media_type


def _json(bundles: JsonObject) -> str:
    text = msgspec.json.encode({"bundles": bundles}, order="sorted")
    return msgspec.json.format(text, indent=2).decode()


def _csv(bundles: JsonObject) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=["bundle", *_FIELDS])
    writer.writeheader()
    for name, bundle in bundles.items():
        for package in bundle["packages"]:
            row = {field: package.get(field, "") for field in _FIELDS}
            writer.writerow({"bundle": name, **row})
    return out.getvalue()


def _markdown(bundles: JsonObject, *, full_text: bool) -> str:
    lines: list[str] = []
    for name, bundle in bundles.items():
        lines += [f"# {name}", ""]
        if not bundle["packages"]:
            lines += ["> No licenses found", ""]
        for package in bundle["packages"]:
            lines += _markdown_package(package, full_text=full_text)
    return "\n".join(lines)


def _markdown_package(package: dict[str, Any], *, full_text: bool) -> list[str]:
    name, version, licence = (str(package.get(field) or _UNKNOWN).strip() for field in _FIELDS[:3])
    lines = [f"## **{name}**\t`{version}`\t{licence}", ""]
    if not full_text:
        return lines
    text = package.get("extractedText")
    return [*lines, "```", text, "```", ""] if text else [*lines, "> No license text available", ""]


def _compile(pattern: str) -> re.Pattern[str]:
    harmless = len(pattern) <= _MAX_PATTERN and pattern.count("*") <= _MAX_STARS
    if not harmless or not _HARMLESS.fullmatch(pattern):
        raise InvalidArgument("the pattern of bundles is not supported")
    return re.compile(pattern)
