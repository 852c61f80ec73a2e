"""Runs the edge: `python -m perijove_gateway_http`."""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop
from perijove_chassis import telemetry
from perijove_chassis.allocator import keep_freed_memory
from perijove_chassis.settings import SettingsError, load

from perijove_gateway_http.open_files import allow_many
from perijove_gateway_http.routes import extensions_for, routes_for
from perijove_gateway_http.serving import serve
from perijove_gateway_http.settings import PREFIX, Settings


def main() -> None:
    """Read the settings and serve. Exits with status 2 if one is missing or wrong."""
    os.umask(0o077)
    keep_freed_memory()
    allow_many()
    try:
        settings = load(Settings, PREFIX, os.environ).checked()
    except SettingsError as error:
        print(f"gateway_http: {error}", file=sys.stderr)  # noqa: T201 - logs are not set up yet
        sys.exit(2)
    telemetry.configure_logging("gateway_http", level=settings.log_level, fmt=settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(serve(settings, routes_for(settings), extensions_for(settings)))
        except SettingsError as error:
            sys.exit(f"gateway_http: {error}")


if __name__ == "__main__":
    main()
