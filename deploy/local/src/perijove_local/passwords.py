"""Where the password of a user's servers is stored, and whether there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from perijove_local.terminal import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "PERIJOVE_GATEWAY_HTTP_PASSWORD_FILE"

_SECTIONS = ("IdentityProvider", "PasswordIdentityProvider", "ServerApp", "NotebookApp")
_TRAITS = ("hashed_password", "password")


@dataclass(frozen=True, slots=True)
class PasswordFiles:
    """What the gateway is told."""

    file: Path
    """Where it is stored, and a new one is going to be."""
    fallback: Path | None
    """Where Jupyter Server has stored one, which holds until there is another."""

    @classmethod
    def find(cls, given: str, environ: Mapping[str, str]) -> PasswordFiles:
        """Return those that an option names, else the user's."""
        if given:
            return cls(Path(given).expanduser().absolute(), None)
        config = Path(environ.get("JUPYTER_CONFIG_DIR") or Path.home() / ".jupyter")
        return cls(config / "perijove_password", config / "jupyter_server_config.json")

    def has_one(self) -> bool:
        """Return whether there is a password.

        Raises:
            Failure: if a file is there and cannot be read.
        """
        for path in (self.file, self.fallback):
            try:
                text = path.read_text(errors="replace") if path else ""
            except FileNotFoundError:
                continue
            except OSError as error:
                raise Failure(f"{path} cannot be read: {error.strerror}") from None
            return _has_one(text)
        return False

    def told(self) -> dict[str, str]:
        """Return what the gateway is told."""
        fallback = str(self.fallback) if self.fallback else ""
        return {"PASSWORD_FILE": str(self.file), "PASSWORD_FALLBACK_FILE": fallback}


def _has_one(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return bool(text.strip())
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    sections = [found.get(name) for name in _SECTIONS]
    given = [section for section in sections if isinstance(section, dict)]
    return any(section.get(trait) for section in given for trait in _TRAITS)
