"""Runs in a kernel's interpreter before its program, and makes it wait to be claimed.

Python imports a module of this name at its start, before it looks at what it was
told to run: `python -m ipykernel_launcher -f FILE`. This one imports what that
program is going to import, and waits. Whoever claims the process says what it shall
be: variables, directory, files, arguments. From there on the interpreter goes its
usual way, and the program finds nothing that it would not have found.

Where PYTHONPATH names this directory, and only there; in the Python of a kernel,
which need not be Perijove's, and may be older. It knows nothing but the standard
library, and talks on an inherited descriptor:

- to it: `p` pause, `g` go on, and once `c` claim: 8 hexadecimal digits of length,
  then JSON. The end of the stream ends the process, wherever it is.
- from it: one line of JSON when it is ready, and `a` when it is what it was told.
"""

import gc
import os
import sys
from typing import Any

_VARIABLE = "PERIJOVE_WARM"
_PATH = "PYTHONPATH"
_PR_SET_MM = 35
_PR_SET_MM_MAP = 14


def _exact(descriptor: int, size: int) -> bytes:
    """Read some bytes; end the process if the other side has."""
    found = b""
    while len(found) < size:
        piece = os.read(descriptor, size - len(found))
        if not piece:
            os._exit(0)
        found += piece
    return found


class _Checkpoints:
    """Looks at every import whether to pause: a start under way comes first."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def find_spec(self, *_: object) -> None:
        os.set_blocking(self._descriptor, False)
        try:
            said = os.read(self._descriptor, 1)
        except BlockingIOError:
            return
        finally:
            os.set_blocking(self._descriptor, True)
        while said != b"g":
            if not said:
                os._exit(0)
            said = os.read(self._descriptor, 1)


def _preload(names: list, descriptor: int) -> "set[str]":
    """Import modules; return the names of the variables that they looked at.

    A name in place of all of them is `*`.
    """
    environ: Any = type(os.environ)
    get, every = environ.__getitem__, environ.__iter__
    read = set()

    def noting_get(self: object, name: Any) -> object:
        read.add(os.fsdecode(name))
        return get(self, name)

    def noting_every(self: object) -> object:
        read.add("*")
        return every(self)

    checkpoints = _Checkpoints(descriptor)
    sys.meta_path.insert(0, checkpoints)
    environ.__getitem__, environ.__iter__ = noting_get, noting_every
    try:
        for name in names:
            try:
                __import__(name)
            except ImportError:
                # Not installed: the program does without it, too, or says so itself.
                continue
    finally:
        environ.__getitem__, environ.__iter__ = get, every
        sys.meta_path.remove(checkpoints)
    return read


def _given() -> "dict[str, str]":
    """Return the variables that this process was started with."""
    with open("/proc/self/environ", "rb") as file:
        pairs = file.read().split(b"\0")
    return dict(os.fsdecode(pair).split("=", 1) for pair in pairs if b"=" in pair)


def _without_us(given: "dict[str, str]", here: str) -> "dict[str, str]":
    left = {name: value for name, value in given.items() if name != _VARIABLE}
    _, _, behind = left.pop(_PATH, "").partition(here)
    if behind.lstrip(os.pathsep):
        left[_PATH] = behind[len(os.pathsep) :]
    return left


def _origins() -> "list[str]":
    """Return the directories that modules have come from: an installation changes them."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    found = {os.path.dirname(file) for file in files if file}
    return [entry for entry in sys.path if entry in found]


def _wait_for_claim(descriptor: int) -> Any:
    import json  # every kernel does, so that it leaves no trace

    while _exact(descriptor, 1) != b"c":
        pass
    size = int(_exact(descriptor, 8), 16)
    return json.loads(_exact(descriptor, size))


def _become(claim: dict, changed: "dict[str, str | None]") -> None:
    """Be what a process started just now with this would be."""
    if claim["directory"]:
        os.chdir(claim["directory"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
    output = os.open(claim["output"], flags, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    before, after = claim["placeholder"], claim["connection_file"]
    for arguments in (sys.argv, sys.orig_argv):
        arguments[:] = [argument.replace(before, after) for argument in arguments]
    _take_environment(claim["environment"], changed)
    import logging
    import time

    logging._startTime = time.time()  # type: ignore[attr-defined]


def _take_environment(wanted: "list[list[str]]", changed: "dict[str, str | None]") -> None:
    # Tells the C library, too; and `posix.environ` is the same dictionary.
    os.environ.clear()
    for name, value in wanted:
        os.environ[name] = value
    for name, here in changed.items():
        if here is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = here


def _show(claim: dict) -> None:
    """Have others see the arguments and variables of the process, as far as the system lets it."""
    import ctypes

    with open("/proc/self/stat", "rb") as file:
        fields = [int(field) for field in file.read().rpartition(b")")[2].split()[1:]]
    # Places in the text of proc(5), which counts from one, with two fields cut off and a letter.
    code, stack, data, arguments = fields[22:24], fields[24], fields[41:44], fields[44:46]
    before, after = os.fsencode(claim["placeholder"]), os.fsencode(claim["connection_file"])
    shown = ctypes.string_at(arguments[0], arguments[1] - arguments[0])
    place = shown.find(before)
    if place >= 0 and len(before) == len(after):
        ctypes.memmove(arguments[0] + place, after, len(after))
    block = b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in claim["environment"])
    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
    libc.malloc.argtypes, libc.sbrk.argtypes = [ctypes.c_size_t], [ctypes.c_ssize_t]
    # Never freed: the system reads it for as long as the process lives.
    shown_at = libc.malloc(len(block))
    ctypes.memmove(shown_at, block, len(block))
    places = [*code, *data, libc.sbrk(0), stack, *arguments, shown_at, shown_at + len(block), 0]
    sizes = (ctypes.c_uint64 * 13)(*places, 0xFFFFFFFF << 32)
    numbers = (ctypes.c_ulong(number) for number in (ctypes.sizeof(sizes), 0))
    libc.prctl(_PR_SET_MM, ctypes.c_ulong(_PR_SET_MM_MAP), ctypes.byref(sizes), *numbers)


def _main() -> None:
    import json

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.remove(here)
    sys.path_importer_cache.pop(here, None)
    told = json.loads(os.environ[_VARIABLE])
    descriptor = told["descriptor"]
    os.set_inheritable(descriptor, False)
    given = _without_us(_given(), here)
    for name in (_VARIABLE, _PATH):
        if name in given:
            os.environ[name] = given[name]
        else:
            os.environ.pop(name, None)
    read = _preload(told["modules"], descriptor)
    names = {**given, **os.environ}
    changed = {
        name: os.environ.get(name) for name in names if os.environ.get(name) != given.get(name)
    }
    ready = {"looked_at": sorted(read | set(changed)), "origins": _origins()}
    # It would come in the middle of the start otherwise, and take half as long as that.
    gc.collect()
    os.write(descriptor, json.dumps(ready).encode() + b"\n")
    claim = _wait_for_claim(descriptor)
    _show(claim)
    _become(claim, changed)
    os.write(descriptor, b"a")
    os.close(descriptor)


def _make_way() -> None:
    """Put another module of this name in the place of this one, or none."""
    del sys.modules[__name__]
    try:
        __import__(__name__)
    except ImportError as error:
        if error.name != __name__:
            raise
    if __name__ not in sys.modules:
        # This is how Python hears that there is no such module.
        raise ImportError(name=__name__)


if _VARIABLE in os.environ:
    try:
        _main()
    except BaseException:
        # Python would go on without this module: with a kernel that nobody has asked for.
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    _make_way()
