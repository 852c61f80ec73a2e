"""A runner: puts its parts together and serves."""

import os
from functools import partial

from perijove_chassis.server import run, serve
from perijove_chassis.settings import SettingsError

from perijove_runner import services, wire
from perijove_runner.announcer import Announcer
from perijove_runner.backends.local import LocalMachine
from perijove_runner.changes import ChangeFeed
from perijove_runner.draining import Draining
from perijove_runner.duties import Duties
from perijove_runner.execution.backends.kernels import RelayedKernels
from perijove_runner.execution.manager import ExecutionManager
from perijove_runner.manager import KernelManager
from perijove_runner.relay import KernelRelay
from perijove_runner.settings import PREFIX, RunnerSettings, refusing
from perijove_runner.terminals.duties import Terminals


async def main(settings: RunnerSettings, umask: int) -> None:
    """Run a runner until it is told to stop."""
    feed, policy = ChangeFeed(), settings.policy()
    with refusing(SettingsError, ValueError):
        verifier, warm = settings.verifier(), settings.warm_plan()
        specs, spool = settings.kernelspec_choice(), settings.spool_limits()
        cwd = settings.working_directory
        machine = LocalMachine(settings.state_dir, os.environ, umask, specs, spool, warm, cwd)
        draining = Draining(machine.drain_note, feed.runner_changed)
        terminals = Terminals(settings, os.environ, draining, umask=umask)
    ports = machine.ports(partial(KernelRelay, limits=settings.limits(), rules=settings.rules()))
    most = settings.capacity
    manager = KernelManager(ports, feed, capacity=most, policy=policy, draining=draining)
    await manager.adopt()
    await terminals.manager.adopt()
    execution = ExecutionManager(RelayedKernels(manager, machine.run_notes))
    writer = wire.Writer(settings.id, settings.address())
    announcer = Announcer(settings, writer, manager, feed, draining)
    duties = Duties(settings, manager, announcer, feed, machine, draining, terminals.held)
    rows = [*services.rows(manager, writer, execution, draining), terminals.service()]
    await serve(
        settings,
        verifier,
        rows,
        background=partial(terminals.beside, duties.run),
        ready=announcer.known,
        on_stop=partial(draining.stop, settings.drain_on_stop_s),
        registry=machine.metrics,
    )


# Kernels get the umask of whoever starts the runner, which takes a stricter one for itself.
run("runner", RunnerSettings, partial(main, umask=os.umask(0o077)), prefix=PREFIX)
