"""Takes rights away from this process for good, and from whatever it starts.

What converts a notebook does as the notebook says, or lets programs do so: TeX
reads files it is told to read. So the process keeps only what a conversion
needs: to read what is installed, and to write to a directory of its own. The
kernel sees to it, by Landlock (Linux 5.13; connections since 6.7).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RIGHTS = (1 << 16) - 1
_NET_SINCE, _BIND_AND_CONNECT = 4, 0b11
_SCOPE_SINCE, _SOCKETS_AND_SIGNALS = 6, 0b11

_READ = _READ_FILE | _READ_DIR | _EXECUTE
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def end_with(parent_pid: int) -> None:
    """Let the kernel kill this process when its parent ends."""
    _check(_libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if os.getppid() != parent_pid:
        # It ended before the kernel was told.
        os.kill(os.getpid(), signal.SIGKILL)


def limit(*, max_memory_bytes: int, max_file_bytes: int) -> None:
    """Limit the memory that is written to, and the size of any file."""
    # Not the address space: programs reserve more of it than they ever use.
    resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def landlock_version() -> int:
    """Return which version of Landlock the kernel has; 0 if none."""
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)))


def confine(*, readable: Iterable[str], writable: Iterable[str]) -> bool:
    """Allow reading and running below some places, writing below others, and no connection.

    Files that are open already stay so. Places that do not exist are left out.

    Returns:
        Whether the kernel can do this; if not, nothing has changed.
    """
    libc, version = _libc(), landlock_version()
    if not version:
        return False
    handled = _RIGHTS_BY_VERSION.get(version, _ALL_RIGHTS)
    # A kernel knows as many of the fields as its version has.
    net = _BIND_AND_CONNECT if version >= _NET_SINCE else 0
    scopes = _SOCKETS_AND_SIGNALS if version >= _SCOPE_SINCE else 0
    attributes = struct.pack("=QQQ", handled, net, scopes)
    size = 24 if version >= _SCOPE_SINCE else 16 if version >= _NET_SINCE else 8
    ruleset = _check(libc.syscall(_CREATE_RULESET, attributes, size, 0))
    try:
        for place in readable:
            _allow(ruleset, place, _READ & handled)
        for place in (*writable, *_DEVICES):
            _allow(ruleset, place, handled)
        _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)
    return True


def _allow(ruleset: int, place: str, rights: int) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        fd = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            if not os.path.isdir(place):
                rights &= _FOR_FILES
            rule = struct.pack("=Qi", rights, fd)
            _check(_libc().syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
        finally:
            os.close(fd)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
