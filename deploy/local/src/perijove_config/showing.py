"""Every value with where it is from, as a file that could be used."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from perijove_local.arguments import CommandLine
from perijove_local.options import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perijove_local.configuration import Configuration

    from perijove_config.catalogue import Setting

_SECRET: Final = re.compile(r"(^|_)(token|password|secret)$|^redis_url$")
_HIDDEN: Final = "***"
_LEAST_COLUMN: Final = 44


def shown(
    settings: Sequence[Setting],
    file: Configuration,
    environ: Mapping[str, str],
    arguments: Sequence[str],
) -> Iterator[str]:
    """Return the lines; the arguments are those of `perijove up`."""
    if file.path:
        yield f"# {file.path}"
    for table, command in (("up", ["up", *arguments]), ("join", ["runner"])):
        yield from _options(table, command, file, environ)
    for process in dict.fromkeys(setting.process for setting in settings):
        yield f"\n[{process}]"
        for setting in settings:
            if setting.process == process and setting.told is None:
                yield _of_setting(setting, file, environ)


def _options(
    table: str, command: list[str], file: Configuration, environ: Mapping[str, str]
) -> Iterator[str]:
    line = CommandLine()
    flags = line.up if table == "up" else line.join
    origins = said(flags, table, file, environ)
    flags.set_defaults(origins)
    values = vars(line.parse(command))
    given = line.given(command)
    yield f"\n[{table}]"
    for name in flags.names:
        place = "the command line" if name in given else "default"
        if name in origins and name not in given:
            place = origins[name].place
        yield _line(name.replace("_", "-"), values[name], place, bool(_SECRET.search(name)))


def _of_setting(setting: Setting, file: Configuration, environ: Mapping[str, str]) -> str:
    value, place = setting.default, "default"
    if setting.name in file.of(setting.process):
        value = file.of(setting.process)[setting.name]
        place = file.place(setting.process, setting.name)
    if setting.variable in environ:
        value, place = environ[setting.variable], setting.variable
    is_secret = setting.is_secret or bool(_SECRET.search(setting.name))
    if isinstance(value, str) and not setting.problem(value) and not is_secret:
        value = msgspec.convert(value, setting.kind, strict=False)
    return _line(setting.name, value, place, is_secret)


def _line(name: str, value: Any, place: str, is_secret: bool) -> str:  # noqa: ANN401, FBT001 - of any type
    if value is None:
        return f"# {name} is not set"
    if name.endswith("-mode"):
        value = f"{value:04o}"
    text = json.dumps(_HIDDEN if is_secret and value else value, default=str)
    return f"{f'{name} = {text}':<{_LEAST_COLUMN}} # {place}"
