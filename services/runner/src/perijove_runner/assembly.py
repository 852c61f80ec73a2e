"""A runner, put together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

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
from perijove_runner.settings import refusing
from perijove_runner.terminals.duties import Terminals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perijove_chassis.server import Service
    from prometheus_client import CollectorRegistry

    from perijove_runner.settings import RunnerSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the process does."""

    rows: list[Service]
    """What it serves."""
    background: Callable[[], Awaitable[None]]
    """What it does beside that, until it is told to stop."""
    ready: Callable[[], Awaitable[None]]
    """Returns once it is of use."""
    on_stop: Callable[[], bool]
    """Told that it is to stop; returns whether it ends by itself."""
    metrics: CollectorRegistry


async def assembled(settings: RunnerSettings, umask: int) -> Parts:
    """Put the parts together, and take up what an earlier runner has left.

    Raises:
        SettingsError: if it cannot be as the settings say.
    """
    feed, policy = ChangeFeed(), settings.policy()
    with refusing(SettingsError, ValueError):
        specs, spool = settings.kernelspec_choice(), settings.spool_limits()
        warm, cwd = settings.warm_plan(), settings.working_directory
        machine = LocalMachine(
            *(settings.state_dir, os.environ, umask, specs, spool, warm, cwd),
            kernel_environ=settings.kernel_environment(os.environ),
        )
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
    return Parts(
        rows=[*services.rows(manager, writer, execution, draining), terminals.service()],
        background=partial(terminals.beside, duties.run),
        ready=announcer.known,
        on_stop=partial(draining.stop, settings.drain_on_stop_s),
        metrics=machine.metrics,
    )
