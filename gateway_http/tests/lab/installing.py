"""Packages that tests install: found by Python as any other is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PREAMBLE = """
from contextlib import asynccontextmanager
from pathlib import Path
from perijove_gateway_http.extensions import *

async def who(request):
    user = caller(request)
    return json_response({"user": user and user.name, "params": dict(params(request))})
"""


class Packages:
    """A directory that Python looks into."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        self._monkeypatch = monkeypatch
        self._count = 0

    def install(self, name: str, code: str) -> None:
        """Install a package with one extension; `code` defines `extension`, or fails to."""
        self._count += 1
        place, module = self._directory / f"p{self._count}", f"extension_of_tests_{self._count}"
        info = place / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        (place / f"{module}.py").write_text(PREAMBLE + code)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[perijove.extensions]\n{name} = {module}:extension\n"
        )
        self._monkeypatch.syspath_prepend(place)
