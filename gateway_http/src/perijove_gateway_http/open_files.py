"""How many files this process may have open: each WebSocket is one."""

from __future__ import annotations

import resource
from contextlib import suppress

_MOST = 65536


def allow_many() -> None:
    """Take as many as the system allows: a shell's usual 1024 would be that many clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # it works as it is, for fewer
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
