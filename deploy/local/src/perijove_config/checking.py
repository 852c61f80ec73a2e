"""What is wrong with variables and the file: names that there are not, and values that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perijove_local.checked import variables_of_options
from perijove_local.layers import unknown
from perijove_local.options import OF_JUPYTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perijove_local.configuration import Configuration

    from perijove_config.catalogue import Setting


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, in one line."""

    text: str
    is_error: bool
    """Whether nothing can be started until it is right."""


def problems(
    settings: Sequence[Setting], file: Configuration, environ: Mapping[str, str]
) -> Iterator[Problem]:
    """Return what is wrong with settings of processes."""
    by_variable = {setting.variable: setting for setting in settings}
    for process in {setting.process for setting in settings}:
        names = [setting.name for setting in settings if setting.process == process]
        for name in file.of(process):
            if name not in names:
                text = f"{file.place(process, name)}: [{process}] has no {unknown(name, names)}"
                yield Problem(text, is_error=True)
    options = variables_of_options()
    for name in sorted(environ):
        if name.startswith("PERIJOVE_") and name not in by_variable and name not in options:
            text = f"nothing reads the variable {unknown(name, (*by_variable, *options))}"
            yield Problem(text, is_error=False)
    for name, setting in by_variable.items():
        place = f"{file.place(setting.process, setting.name)}: [{setting.process}] {setting.name}"
        yield from _of_value(setting, place, file.of(setting.process).get(setting.name))
        if name not in OF_JUPYTER:  # which stand for options
            yield from _of_value(setting, name, environ.get(name))


def _of_value(setting: Setting, place: str, text: str | None) -> Iterator[Problem]:
    if text is None:
        return
    if setting.told is not None:
        instead = f": use {setting.told}" if setting.told else ""
        yield Problem(f"{place} counts for nothing, `perijove` says it itself{instead}", False)
    elif wrong := setting.problem(text):
        yield Problem(f"{place}: {wrong}", is_error=True)
