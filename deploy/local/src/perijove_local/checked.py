"""Names and values of settings, checked before anything is started."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perijove_local.arguments import CommandLine
from perijove_local.configuration import FILE_VARIABLE
from perijove_local.layers import variable_of
from perijove_local.process import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perijove_local.configuration import Configuration
    from perijove_local.terminal import Terminal


def tell(file: Configuration, environ: Mapping[str, str], terminal: Terminal) -> None:
    """Say what of the settings of processes means nothing.

    By a process of its own, which knows those of all services, and only if there are any.

    Raises:
        Failure: if the file names what there is not, or a value is none.
    """
    given = {name for name in environ if name.startswith("PERIJOVE_")} - variables_of_options()
    if not given and not file.variables():
        return
    named = ("--config", str(file.path)) if file.path else ()
    for line in ask((sys.executable, "-m", "perijove_config", "verify", *named)).splitlines():
        terminal.event(line)


def variables_of_options() -> frozenset[str]:
    """Return the variables that stand for options of commands."""
    line = CommandLine()
    of_up = (variable_of("up", name) for name in line.up.names)
    of_join = (variable_of("join", name) for name in line.join.names)
    return frozenset((*of_up, *of_join, FILE_VARIABLE))
