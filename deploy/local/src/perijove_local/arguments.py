"""The command line: which commands and options there are, and what they are called."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from perijove_local import VERSION, hub, joining_options
from perijove_local.door_options import add_door
from perijove_local.elsewhere import OF_CONFIGURATION, OF_EDGE, OF_POOL
from perijove_local.layers import Flags

if TYPE_CHECKING:
    from perijove_local.layers import Add

DEFAULT_PORT: Final = 8888
DEFAULT_PAGE: Final = "lab"
LAST_PORT: Final = 65535

_PRECEDENCE: Final = """\
Each option can also be a variable, --base-url PERIJOVE_BASE_URL, or in a file, base-url in the
table [up]: an argument counts more than a variable, a variable more than the file. Settings of
single processes are variables and tables only. `perijove config show` shows all of them.
"""


class CommandLine:
    """Knows how to read what comes after `perijove`."""

    def __init__(self) -> None:
        self._parser = argparse.ArgumentParser(
            prog="perijove",
            description="A Jupyter server whose kernels outlive it, on one machine or many.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._parser.add_argument("--version", action="version", version=f"perijove {VERSION}")
        self._commands = self._parser.add_subparsers(
            dest="command", required=True, metavar="COMMAND", title="commands"
        )
        does = "start everything and keep it running until Ctrl-C"
        self.up = Flags(self._command("up", does, _PRECEDENCE))
        _add_up(self.up)
        for name, does in (OF_POOL | OF_EDGE).items():
            self._command(name, does)
        self._command("list", "show what of Perijove runs for this user")
        stop = self._command("stop", "stop what `perijove up` started")
        help_ = "port it serves; may be left out if one runs"
        stop.add_argument("port", nargs="?", type=port, help=help_)
        self._command(hub.COMMAND, "what JupyterHub starts in place of its own server")
        does = "run kernels here for a Perijove on another machine, until Ctrl-C"
        epilog = _PRECEDENCE.replace("--base-url PERIJOVE_BASE_URL", "--name PERIJOVE_JOIN_NAME")
        epilog = epilog.replace("base-url in the\ntable [up]", "name in the\ntable [join]")
        self.join = Flags(self._command("runner", does, epilog))
        joining_options.add_runner(self.join)
        does = "never listen to a runner of another machine again"
        joining_options.add_cast_out(self._command("cast-out", does))
        does = "make, show and revoke tokens that runners join with"
        joining_options.add_token(self._command("token", does))
        for name, does in OF_CONFIGURATION.items():
            self._command(name, does)

    def parse(self, arguments: list[str]) -> argparse.Namespace:
        """Read arguments; exits with status 2 on malformed ones, as argparse does."""
        return self._parser.parse_args(arguments)

    def given(self, arguments: list[str]) -> frozenset[str]:
        """Return which options are among the arguments; no value is to be read after it."""
        for flags in (self.up, self.join):
            flags.forget_defaults()
        return frozenset(vars(self.parse(arguments)))

    def _command(self, name: str, does: str, epilog: str = "") -> argparse.ArgumentParser:
        return self._commands.add_parser(
            name,
            usage=f"perijove {name} [OPTION ...]" if epilog else None,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )


def port(text: str) -> int:
    """Return the number of a port."""
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number")
    return int(text)


def _add_up(flags: Flags) -> None:
    add = flags.group("what is served")
    add("--root-dir", default=".", metavar="DIR", help="directory to serve (default: this one)")
    add("--base-url", default="/", metavar="PATH", help="path to serve everything under (/)")
    help_ = "first page: lab or tree (lab)"
    add("--default-url", default=DEFAULT_PAGE, metavar="PATH", help=help_)
    add("--custom-css", action="store_true", help="show JupyterLab in your own style, too")
    add = flags.group("where, and to whom")
    add("--ip", default="127.0.0.1", help="address to listen on; * for all (default: 127.0.0.1)")
    add("--port", type=port, help=f"port to listen on; 0 for any free one ({DEFAULT_PORT})")
    help_ = "further ports to try (50, none if --port is given)"
    add("--port-retries", type=_count, metavar="N", help=help_)
    add_door(add)
    add("--token", help="what clients must present (default: $JUPYTER_TOKEN, or a new one)")
    text = "file that has the password (default: perijove_password in Jupyter's configuration)"
    add("--password-file", default="", metavar="FILE", help=text)
    _add_kernels(flags.group("kernels"))
    _add_machines(flags.group("other machines"))
    add = flags.group("this command")
    add("--config", metavar="FILE", help="read settings from this file, not the usual places")
    add("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    add("--runtime-dir", metavar="DIR", help="private directory for sockets, state and logs")
    levels = ("debug", "info", "warning", "error")
    add("--log-level", choices=levels, default="info", help="what the services log (info)")
    add("--hub", action="store_true", help=argparse.SUPPRESS)
    add("--debug", action="store_true", help="log everything, and show it here")


def _add_kernels(add: Add) -> None:
    add("--warm", default="", metavar="SPEC[:N]", help="keep N kernels of a kernelspec ready")
    add("--external-kernels", metavar="DIR", help="take in kernels by connection files in here")
    add("--max-kernels", type=_count, default=0, metavar="N", help="most kernels in all")
    add("--max-kernels-per-user", type=_count, default=0, metavar="N", help="most of one user")


def _add_machines(add: Add) -> None:
    joining_options.add_pool(add)
    # With a password in it, it had better not be on the command line, which everybody can read.
    text = "use this Redis instead of an own one (better in $PERIJOVE_REDIS_URL)"
    add("--redis-url", default="", metavar="URL", help=text)
