"""A runner: `python -m perijove_runner`, below its supervisor."""

import os
from functools import partial

from perijove_chassis.server import run, serve
from perijove_chassis.settings import SettingsError

from perijove_runner.assembly import assembled
from perijove_runner.settings import PREFIX, RunnerSettings, refusing


async def main(settings: RunnerSettings, umask: int) -> None:
    """Run a runner until it is told to stop."""
    with refusing(SettingsError, ValueError):
        verifier = settings.verifier()
    parts = await assembled(settings, umask)
    await serve(
        settings,
        verifier,
        parts.rows,
        background=parts.background,
        ready=parts.ready,
        on_stop=parts.on_stop,
        registry=parts.metrics,
    )


# Kernels get the umask of whoever starts the runner, which takes a stricter one for itself.
run("runner", RunnerSettings, partial(main, umask=os.umask(0o077)), prefix=PREFIX)
