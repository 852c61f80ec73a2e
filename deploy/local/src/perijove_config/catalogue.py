"""All settings that there are, from the processes that have them."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from perijove_chassis.settings import Secret
from perijove_contents.settings import Settings as OfContents
from perijove_gateway_http.settings import Settings as OfGateway
from perijove_kernels.settings import Settings as OfKernels
from perijove_local.configuration import variable
from perijove_runner.settings import RunnerSettings as OfRunner
from perijove_runner.terminals.settings import TerminalSettings as OfTerminals
from perijove_sessions.settings import Settings as OfSessions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STRUCTS: Final[Sequence[tuple[str, str, type[msgspec.Struct]]]] = (
    ("contents", "", OfContents),
    ("sessions", "", OfSessions),
    ("kernels", "", OfKernels),
    ("runner", "", OfRunner),
    ("runner", "terminal_", OfTerminals),
    ("gateway_http", "", OfGateway),
)
"""With the process and what names of settings begin with."""

_TOLD: Final[Mapping[str, str]] = {
    "root": "--root-dir",
    "token": "--token",
    "api_token": "--token",
    "ip": "--ip",
    "port": "--port",
    "base_url": "--base-url",
    "redis_url": "--redis-url",
    "allow_anyone": "--token",
    "log_level": "--log-level",
    "default_url": "--default-url",
    "password_file": "--password-file",
    "password_fallback_file": "--password-file",
    "sock": "--sock",
    "sock_mode": "--sock-mode",
    "server_root": "--root-dir",
    **dict.fromkeys(("pool_listen", "pool_dir"), "--pool-listen"),
    **dict.fromkeys(
        ("listen", "service_key", "events", "contents", "sessions", "kernels", "id", "state_dir"),
        "",
    ),
    "umask": "",
    **dict.fromkeys(("listen_fd", "launcher_fd", "grace_s", "renew_certificate"), ""),
    **dict.fromkeys(("tls_dial_ca", "tls_dial_cert", "tls_dial_key"), ""),
}
"""What the launcher says to processes, and by which of its options, if by one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a process."""

    process: str
    name: str
    kind: Any
    """Its type, with limits."""
    default: Any
    """None if it has none."""
    says: str
    """What it is for, in one paragraph."""

    @property
    def variable(self) -> str:
        """The name of its variable."""
        return variable(self.process, self.name)

    @property
    def is_secret(self) -> bool:
        """Whether its value is not to be shown."""
        return self.kind is Secret or isinstance(self.default, Secret)

    @property
    def told(self) -> str | None:
        """The option by which `perijove up` says it; empty if by none, None if it does not."""
        return _TOLD.get(self.name)

    def problem(self, text: str) -> str:
        """Return what is wrong with a value; nothing if it can be one."""
        if self.is_secret:
            return ""
        try:
            msgspec.convert(text, self.kind, strict=False)
        except msgspec.ValidationError as error:
            return str(error)
        return ""


def settings() -> tuple[Setting, ...]:
    """Return all, in the order in which they are written down."""
    return tuple(
        Setting(
            process,
            f"{beginning}{field.name}",
            field.type,
            None if field.required else field.default,
            said.get(field.name, ""),
        )
        for process, beginning, struct in _STRUCTS
        for said in (_said(struct),)
        for field in msgspec.structs.fields(struct)
    )


def _said(struct: type) -> dict[str, str]:
    """Return the texts below the fields of a struct and of those it is one of."""
    found: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if one.__module__.startswith("perijove_"):
            body = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0]
            found |= _texts(body.body) if isinstance(body, ast.ClassDef) else {}
    return found


def _texts(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found
