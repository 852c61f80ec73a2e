"""A runner: puts its parts together and serves."""

import os
from functools import partial

from perijove_chassis.server import run, serve
from perijove_chassis.settings import SettingsError

from perijove_runner import services, wire
from perijove_runner.announcer import Announcer
from perijove_runner.backends.local import LocalMachine
from perijove_runner.changes import ChangeFeed
from perijove_runner.duties import Duties
from perijove_runner.execution.backends.kernels import RelayedKernels
from perijove_runner.execution.manager import ExecutionManager
from perijove_runner.manager import KernelManager
from perijove_runner.relay import KernelRelay
from perijove_runner.settings import PREFIX, RunnerSettings, refusing
from perijove_runner.terminals.duties import Terminals


async def main(settings: RunnerSettings, umask: int) -> None:
    """Run a runner until it is told to stop."""
    with refusing(SettingsError, ValueError):
        verifier, warm = settings.verifier(), settings.warm_plan()
        specs, spool = settings.kernelspec_choice(), settings.spool_limits()
        machine = LocalMachine(settings.state_dir, os.environ, umask, specs, spool, warm)
        terminals = Terminals(settings, os.environ, umask=umask)
    ports = machine.ports(partial(KernelRelay, limits=settings.limits(), rules=settings.rules()))
    feed, policy = ChangeFeed(), settings.policy()
    manager = KernelManager(ports, feed, capacity=settings.capacity, policy=policy)
    await manager.adopt()
    await terminals.manager.adopt()
    execution = ExecutionManager(RelayedKernels(manager, machine.run_notes))
    writer = wire.Writer(settings.id, settings.address())
    announcer = Announcer(settings, writer, manager, feed)
    duties = Duties(settings, manager, announcer, feed, machine)
    rows = [*services.rows(manager, writer, execution), terminals.service()]
    work, known = partial(terminals.beside, duties.run), announcer.known
    await serve(settings, verifier, rows, background=work, ready=known, registry=machine.metrics)


# Kernels get the umask of whoever starts the runner, which takes a stricter one for itself.
run("runner", RunnerSettings, partial(main, umask=os.umask(0o077)), prefix=PREFIX)
