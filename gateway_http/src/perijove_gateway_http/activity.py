"""Whether somebody works here: what idle cullers ask."""

from __future__ import annotations

import time


class Activity:
    """When this process started, and when it was last asked for something."""

    def __init__(self) -> None:
        self.started = time.time()
        self._last = self.started

    @property
    def last(self) -> float:
        """Seconds since the epoch of the latest request that counts."""
        return self._last

    def note(self) -> None:
        """Note that somebody asks for something now."""
        self._last = time.time()
