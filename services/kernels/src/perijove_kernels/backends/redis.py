"""The registry in Redis: one script per change, one round trip per read."""

from __future__ import annotations

import importlib.resources
import secrets
from typing import TYPE_CHECKING, Any

from perijove_chassis.errors import Aborted
from perijove_chassis.redis_commands import Commands
from perijove_chassis.watching import Delta, Position

from perijove_kernels.backends import rows
from perijove_kernels.model import ExecutionState, Offer
from perijove_kernels.placement import ANY, UNLIMITED, Queued, Quotas, Wish, refusal
from perijove_kernels.store import PATIENCE_S, Holding, Limits, Place, Pool, Registry

if TYPE_CHECKING:
    from perijove_kernels.model import Changes, Drain, Hello, Kernel, Kernelspec, Runner

_KEYS = [
    f"{{k}}:{name}"
    for name in (
        "kernels",
        "owners",
        "runners",
        "specs",
        "seen",
        "streams",
        "reserved",
        "gone",
        "ended",
        "drains",
        "queue",
        "waiting",
        "meta",
        "feed",
    )
]


class RedisKernelStore:
    """A `KernelStore` in Redis 6.2 or later. What is where: `scripts/prelude.lua`."""

    def __init__(self, url: str, limits: Limits, quotas: Quotas = UNLIMITED) -> None:
        scripts = importlib.resources.files("perijove_kernels.backends") / "scripts"
        self._commands = Commands(url, scripts, _KEYS)
        self._limits = limits
        self._quotas = quotas
        self._swept = False

    async def close(self) -> None:
        """Close the connections."""
        await self._commands.close()

    async def register(self, hello: Hello, stream_id: str) -> tuple[str, ...]:
        """Put a runner's whole state in place of what is known of it."""
        if not self._swept:
            await self.sweep()  # what registers is bound to the run of the server
        strays = await self._change(
            "register",
            hello.runner.runner_id,
            rows.runner_row(hello.runner, hello.kernelspecs, hello.revision),
            rows.as_text(hello.kernelspecs),
            stream_id,
            hello.revision,
            len(hello.kernels),
            rows.as_text(hello.drain) if hello.drain else "",
            *rows.kernel_rows(hello.kernels),
        )
        return tuple(strays)

    async def apply(self, runner: Runner, stream_id: str, changes: Changes) -> tuple[str, ...]:
        """Note that a runner lives, and what has changed there."""
        specs = changes.kernelspecs
        strays = await self._script(
            "apply",
            runner.runner_id,
            stream_id,
            "" if specs is None else rows.as_text(specs),
            "" if specs is None else rows.runner_row(runner, specs, 0),
            changes.revision,
            len(changes.kernels),
            rows.drain_text(changes),
            *rows.kernel_rows(changes.kernels),
            *changes.gone,
        )
        if strays == "REPLACED":
            raise Aborted("the runner must register anew")
        return tuple(strays)

    async def leave(self, runner_id: str, stream_id: str) -> None:
        """Forget a runner at once, unless it has another stream by now."""
        await self._script("leave", runner_id, stream_id)

    async def note_drain(self, runner_id: str, drain: Drain | None) -> bool:
        """Note whether a runner is being drained; return whether it is known."""
        return bool(await self._script("drain", runner_id, rows.as_text(drain) if drain else ""))

    async def pool(self) -> Pool:
        """Return all runners in order of their ids, in one round trip."""
        waiting, *flat = await self._script("pool")
        parts = (flat[at : at + 6] for at in range(0, len(flat), 6))
        members = sorted(
            (rows.member_of(*part) for part in parts), key=lambda m: m.runner.runner_id
        )
        return Pool(tuple(members), waiting)

    async def reserve(
        self, kernel_id: str, kernelspec_name: str, reservation_id: str, wish: Wish = ANY
    ) -> Place:
        """Find a place for a kernel, and keep it until it is recorded or released."""
        found = await self._look_for(kernel_id, kernelspec_name, reservation_id, wish, None)
        if isinstance(found, Queued):
            raise refusal(found.reason, kernelspec_name, wish, self._quotas)
        return found

    async def wait(
        self, kernel_id: str, kernelspec_name: str, reservation_id: str, wish: Wish, since: str
    ) -> Place | Queued:
        """Find a place as `reserve`, or stand in the queue for one."""
        return await self._look_for(kernel_id, kernelspec_name, reservation_id, wish, since)

    async def leave_queue(self, kernel_id: str) -> None:
        """Wait no more."""
        await self._script("unqueue", kernel_id)

    async def _look_for(
        self,
        kernel_id: str,
        kernelspec_name: str,
        reservation_id: str,
        wish: Wish,
        since: str | None,
    ) -> Place | Queued:
        wanted = kernelspec_name.lower()
        outcome, *rest = await self._script(
            "reserve",
            kernel_id,
            wanted,
            reservation_id,
            self._limits.reserve_for_s,
            secrets.randbelow(2**31),
            rows.as_text(wish),
            self._quotas.kernels,
            self._quotas.kernels_per_user,
            int(since is not None),
            since or "",
            self._quotas.waiting,
            PATIENCE_S,
        )
        if outcome == "KERNEL":
            existing = rows.holding_of(*rest)
            runner = rows.runners.decode(rest[1]).runner
            return Place(runner, existing.kernel.kernelspec_name, existing)
        if outcome == "PLACE":
            row = rows.runners.decode(rest[0])
            return Place(row.runner, row.names.get(wanted, kernelspec_name))
        if outcome == "WAIT":
            return Queued(*rest)
        raise refusal(outcome, kernelspec_name, wish, self._quotas)

    async def release(self, kernel_id: str, reservation_id: str) -> None:
        """Give a place back, if this reservation holds it."""
        await self._script("release", kernel_id, reservation_id)

    async def record(self, kernel: Kernel) -> Kernel:
        """Note a runner's reply, unless something newer is known."""
        row = await self._script(
            "record", kernel.kernel_id, kernel.runner_id, *rows.kernel_row(kernel)[1:]
        )
        if row == "STRAY":
            raise Aborted("another runner has a kernel with the id", reason="ID_IN_USE")
        if not row:
            return kernel
        return rows.at_address(rows.kernels.decode(row), kernel.runner_address)

    async def remove(self, kernel: Kernel, revision: int, *, doomed: bool = False) -> None:
        """Forget a kernel of a runner, and whatever is older than `revision`."""
        id_, runner_id = kernel.kernel_id, kernel.runner_id
        # What was known before may be how it ended: only the like of it takes its place.
        row = rows.as_text(kernel) if kernel.execution_state is ExecutionState.DEAD else ""
        await self._change("remove", id_, runner_id, revision, int(doomed), row)

    async def get(self, kernel_id: str) -> Holding | None:
        """Return a kernel, in one round trip."""
        found = await self._script("get", kernel_id)
        return rows.holding_of(*found) if found else None

    async def ended(self, kernel_id: str) -> Kernel | None:
        """Return a kernel that is gone as it was last, for as long as that is remembered."""
        row = await self._script("ended", kernel_id)
        return rows.kernels.decode(row) if row else None

    async def registry(self) -> Registry:
        """Return all kernels, in one round trip."""
        reply = await self._script("registry")
        settling, kernel_rows, runner_rows, alive, gone, feed_id, number = reply
        addresses = {
            runner_id: rows.runners.decode(row).runner.address
            for runner_id, row in rows.pairs(runner_rows)
        }
        live = set(alive)
        holdings = {}
        for row in kernel_rows:
            kernel = rows.kernels.decode(row)
            address = addresses.get(kernel.runner_id, "")
            holdings[kernel.kernel_id] = Holding(
                rows.at_address(kernel, address), lost=kernel.runner_id not in live
            )
        position = Position(feed_id, int(number)) if feed_id else None
        return Registry(holdings, frozenset(gone), bool(settling), position)

    async def changes(self, since: Position) -> Delta[Holding] | None:
        """Return which kernels have changed, in one round trip; None if that is not known."""
        found = await self._script("changes", since.feed_id, since.number)
        if not found:
            return None
        number, gone, flat = found
        found_now = (rows.holding_of(*flat[at : at + 3]) for at in range(0, len(flat), 3))
        holdings = {holding.kernel.kernel_id: holding for holding in found_now}
        return Delta(holdings, frozenset(gone), Position(since.feed_id, int(number)))

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        await self._commands.arrival(_KEYS[-1], f"{since.number}-0", within_s)

    async def offers(self) -> tuple[Offer, ...]:
        """Return what can be started now, in one round trip."""
        found: dict[str, tuple[Kernelspec, list[Runner]]] = {}
        for row, specs in rows.pairs(await self._script("offers")):
            runner = rows.runners.decode(row).runner
            for spec in rows.kernelspecs.decode(specs):
                found.setdefault(spec.name, (spec, []))[1].append(runner)
        return tuple(Offer(spec, tuple(runners)) for _, (spec, runners) in sorted(found.items()))

    async def sweep(self) -> None:
        """Forget runners that are silent for too long."""
        await self._script("sweep", self._limits.forget_after_s)
        self._swept = True

    async def _change(self, name: str, *arguments: str | float) -> Any:  # noqa: ANN401
        return await self._commands.change(name, self._limits.lost_after_s, *arguments)

    async def _script(self, name: str, *arguments: str | float) -> Any:  # noqa: ANN401
        return await self._commands.script(name, self._limits.lost_after_s, *arguments)
