"""`perijove up`: the whole of Perijove on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

from perijove_chassis.settings import Secret

from perijove_local import browser, descendants, process
from perijove_local.directory import RuntimeDirectory
from perijove_local.listening import check_free, listening_on
from perijove_local.logs import Logs
from perijove_local.pool import Pool
from perijove_local.records import Records, with_token
from perijove_local.stack import SERVICES, Stack
from perijove_local.supervision import Signals, Supervision

if TYPE_CHECKING:
    import socket

    from perijove_local.options import Options
    from perijove_local.probe import Address
    from perijove_local.terminal import Terminal

_ANY = ("", "0.0.0.0", "::")


def run(options: Options, terminal: Terminal) -> int:
    """Start everything, keep it running until told to stop, and return the exit status.

    Raises:
        Failure: if it cannot start; then nothing is left running.
    """
    asking, asked = os.pipe()
    with listening_on(options) as listening:
        if options.pool:
            check_free(options.pool.listen, "--pool-listen")
        directory = RuntimeDirectory(options.runtime)
        pool = Pool.made(options.pool, directory.path) if options.pool else None
        stack = Stack(
            options=options,
            directory=directory,
            listening=listening.fileno(),
            asking=asked,
            http=_reachable(options, listening),
            service_key=pool.service_key() if pool else Secret(secrets.token_hex(32)),
            api_token=Secret(options.token or secrets.token_hex(24)),
            runner_id=directory.runner_id(),
            pool=pool,
            inherited={**options.file.variables(), **os.environ},
        )
        process.adopt_orphans()
        supervision = Supervision(
            stack.specs(), Logs(directory.logs), Signals(asking), terminal, debug=options.debug
        )
        _supervise(stack, supervision, terminal)
        directory.remove()
    terminal.event("stopped")
    return 0


def _supervise(stack: Stack, supervision: Supervision, terminal: Terminal) -> None:
    url = _url(stack)
    records = Records(stack, url)
    try:
        if supervision.start():
            records.write(supervision.children)
            records.announce()
            terminal.result(_banner(stack, url))
            if stack.pool and not stack.options.runtime:
                terminal.event("who joins now is a stranger after a restart: name a --runtime-dir")
            if stack.options.browser and not stack.options.door.sock and browser.can_open():
                page = stack.directory.page
                browser.open_page(_first_page(stack, url), page)
            supervision.run(lambda: _update(records, supervision, terminal))
        terminal.event("stopping; Ctrl-C again to kill everything at once")
    finally:
        records.withdraw()
        supervision.stop()
        descendants.kill_all()


def _update(records: Records, supervision: Supervision, terminal: Terminal) -> None:
    try:
        records.write(supervision.children)
    except OSError as error:
        # What runs goes on running; only the record is out of date.
        terminal.event(f"the record of what runs cannot be written: {error.strerror}")


def _reachable(options: Options, listening: socket.socket) -> Address:
    if options.door.sock:
        return str(options.door.sock)
    port = int(listening.getsockname()[1])
    if options.ip in _ANY:
        return "127.0.0.1", port
    return str(listening.getsockname()[0]), port


def _url(stack: Stack) -> str:
    base, scheme = stack.options.base_url, stack.options.door.scheme
    if isinstance(stack.http, str):
        return f"{scheme}+unix://{quote(stack.http, safe='')}{base}"
    host, port = stack.http
    if stack.options.ip == "localhost":
        host = "localhost"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{base}"


def _first_page(stack: Stack, url: str) -> str:
    return with_token(url + quote(stack.options.default_url), stack.options.token)


def _banner(stack: Stack, url: str) -> str:
    targets = stack.targets()
    rows = {
        "Open": _first_page(stack, url),
        "Serves": str(stack.options.root),
        **{f"gRPC {name}": targets[name] for name in SERVICES},
        "Logs": str(stack.directory.logs),
        **({"Add a machine": stack.pool.invitation()} if stack.pool else {}),
        "Stop": "Ctrl-C",
    }
    width = max(map(len, rows))
    lines = (f"  {name:<{width}}  {value}" for name, value in rows.items())
    return "\n".join(("\nPerijove is ready.\n", *lines, ""))
