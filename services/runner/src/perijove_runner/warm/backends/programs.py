"""Which programs can be started beforehand, and what they import."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_runner.model import Kernelspec

_PYTHON: Final = re.compile(r"python(\d+(\.\d+)*)?")
_HARMLESS: Final = re.compile(r"-[BdOquv]+|-[WX].+")
"""Options of Python with which it still reads PYTHONPATH and runs `sitecustomize`."""
_WITH_VALUE: Final = ("-W", "-X")

_IPYKERNEL: Final = (
    "ipykernel.kernelapp",
    # What it imports while it starts, in this order.
    "IPython.core.debugger",
    "ipykernel.control",
    "tornado.platform.asyncio",
    "faulthandler",
    "ipykernel.debugger",
    "IPython.core.oinspect",
    "IPython.utils.wildcard",
    "sqlite3",
    "IPython.core.logger",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
)
_KNOWN: Final = {"ipykernel_launcher": _IPYKERNEL}


class _Wish(msgspec.Struct, frozen=True):
    preload: tuple[str, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    perijove: _Wish = _Wish()


class Programs:
    """Knows what a kernel written in Python imports at its start.

    That of ipykernel is known. Any other kernelspec whose `argv` is `python -m ...`
    can say it: `"metadata": {"perijove": {"preload": ["its.module"]}}`.
    """

    def modules(self, spec: Kernelspec) -> tuple[str, ...]:
        """Return the names of what to import beforehand; none if that cannot be."""
        module = _module(spec.argv)
        if module is None:
            return ()
        return _wished(spec.metadata) or _KNOWN.get(module, ())


def _module(argv: Sequence[str]) -> str | None:
    """Return what Python is told to run by `-m`, if it runs nothing else."""
    if not argv or not _PYTHON.fullmatch(PurePath(argv[0]).name):
        return None
    arguments = iter(argv[1:])
    for argument in arguments:
        if argument == "-m":
            return next(arguments, None)
        if argument in _WITH_VALUE:
            next(arguments, None)
        elif not _HARMLESS.fullmatch(argument):
            return None
    return None


def _wished(metadata: bytes) -> tuple[str, ...]:
    try:
        return msgspec.json.decode(metadata, type=_Metadata).perijove.preload
    except msgspec.MsgspecError:
        return ()
