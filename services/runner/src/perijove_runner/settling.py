"""Finds out what a kernel has done while it had no runner, and ends that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perijove_runner.adoption import is_cell
from perijove_runner.receiving import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perijove_runner.link import KernelLink
    from perijove_runner.receiving import Receiving
    from perijove_runner.snapshot import InFlightRequest


async def settle(
    link: KernelLink,
    receiving: Receiving,
    before: Sequence[InFlightRequest],
    *,
    concurrent: bool,
) -> None:
    """Answer in a kernel's place what it has answered to nobody.

    Args:
        link: The kernel's.
        receiving: Knows what has an end.
        before: What was in flight when the earlier runner ended.
        concurrent: Whether the kernel answers other requests while it runs a cell;
            only a cell comes after all cells before.
    """
    apart = [request for request in before if concurrent and is_cell(request)]
    in_order = [request for request in before if request not in apart]
    for name, channel in reversed(CHANNELS.items()):
        await link.catch_up(channel)
        receiving.end_unended(in_order, name)
    for name, channel in CHANNELS.items():
        if receiving.unended(apart, name):
            await link.catch_up_with_cells(channel)
            receiving.end_unended(apart, name)
