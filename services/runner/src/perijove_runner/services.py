"""The rows of this process's services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_runner.channels_servicer import channels_service
from perijove_runner.execution.servicer import execution_service
from perijove_runner.servicer import runner_service

if TYPE_CHECKING:
    from perijove_chassis.server import Service

    from perijove_runner import wire
    from perijove_runner.draining import Draining
    from perijove_runner.execution.manager import ExecutionManager
    from perijove_runner.manager import KernelManager
    from perijove_runner.relay import KernelRelay


def rows(
    manager: KernelManager[KernelRelay],
    writer: wire.Writer,
    execution: ExecutionManager,
    draining: Draining,
) -> list[Service]:
    """Return what a runner serves, and to whom."""
    return [
        runner_service(manager, writer, draining),
        channels_service(manager.relay),
        execution_service(execution),
    ]
