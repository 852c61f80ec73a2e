"""The registry in Redis: one script per change, one round trip per read."""

from __future__ import annotations

import importlib.resources
import secrets
from collections.abc import Mapping  # noqa: TC003 - rows are decoded by their annotations
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from perijove_chassis.errors import Aborted
from perijove_chassis.redis_commands import Commands
from perijove_chassis.watching import Delta, Position

from perijove_kernels.model import (
    Changes,
    Drain,
    ExecutionState,
    Hello,
    Kernel,
    Kernelspec,
    Offer,
    Runner,
)
from perijove_kernels.placement import ANY, UNLIMITED, Queued, Quotas, Wish, refusal
from perijove_kernels.store import PATIENCE_S, Holding, Limits, Member, Place, Pool, Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


class _RunnerRow(msgspec.Struct, frozen=True):
    runner: Runner
    capacity: int
    revision: int
    names: Mapping[str, str]
    """Names of its kernelspecs by their lower case."""


_kernel = msgspec.json.Decoder(Kernel)
_runner = msgspec.json.Decoder(_RunnerRow)
_drain = msgspec.json.Decoder(Drain)
_kernelspecs = msgspec.json.Decoder(tuple[Kernelspec, ...])


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
            _runner_row(hello.runner, hello.kernelspecs, hello.revision),
            _text(hello.kernelspecs),
            stream_id,
            hello.revision,
            len(hello.kernels),
            _text(hello.drain) if hello.drain else "",
            *_kernel_rows(hello.kernels),
        )
        return tuple(strays)

    async def apply(self, runner: Runner, stream_id: str, changes: Changes) -> tuple[str, ...]:
        """Note that a runner lives, and what has changed there."""
        specs = changes.kernelspecs
        strays = await self._script(
            "apply",
            runner.runner_id,
            stream_id,
            "" if specs is None else _text(specs),
            "" if specs is None else _runner_row(runner, specs, 0),
            changes.revision,
            len(changes.kernels),
            _drain_text(changes),
            *_kernel_rows(changes.kernels),
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
        return bool(await self._script("drain", runner_id, _text(drain) if drain else ""))

    async def pool(self) -> Pool:
        """Return all runners in order of their ids, in one round trip."""
        waiting, *flat = await self._script("pool")
        rows = (flat[at : at + 6] for at in range(0, len(flat), 6))
        members = sorted((_member(*row) for row in rows), key=lambda m: m.runner.runner_id)
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
            _text(wish),
            self._quotas.kernels,
            self._quotas.kernels_per_user,
            int(since is not None),
            since or "",
            self._quotas.waiting,
            PATIENCE_S,
        )
        if outcome == "KERNEL":
            existing = _holding(*rest)
            runner = _runner.decode(rest[1]).runner
            return Place(runner, existing.kernel.kernelspec_name, existing)
        if outcome == "PLACE":
            row = _runner.decode(rest[0])
            return Place(row.runner, row.names.get(wanted, kernelspec_name))
        if outcome == "WAIT":
            return Queued(*rest)
        raise refusal(outcome, kernelspec_name, wish, self._quotas)

    async def release(self, kernel_id: str, reservation_id: str) -> None:
        """Give a place back, if this reservation holds it."""
        await self._script("release", kernel_id, reservation_id)

    async def record(self, kernel: Kernel) -> Kernel:
        """Note a runner's reply, unless something newer is known."""
        row = await self._script("record", kernel.kernel_id, kernel.runner_id, *_row(kernel)[1:])
        if row == "STRAY":
            raise Aborted("another runner has a kernel with the id", reason="ID_IN_USE")
        if not row:
            return kernel
        return _at(_kernel.decode(row), kernel.runner_address)

    async def remove(self, kernel: Kernel, revision: int, *, doomed: bool = False) -> None:
        """Forget a kernel of a runner, and whatever is older than `revision`."""
        id_, runner_id = kernel.kernel_id, kernel.runner_id
        # What was known before may be how it ended: only the like of it takes its place.
        row = _text(kernel) if kernel.execution_state is ExecutionState.DEAD else ""
        await self._change("remove", id_, runner_id, revision, int(doomed), row)

    async def get(self, kernel_id: str) -> Holding | None:
        """Return a kernel, in one round trip."""
        found = await self._script("get", kernel_id)
        return _holding(*found) if found else None

    async def ended(self, kernel_id: str) -> Kernel | None:
        """Return a kernel that is gone as it was last, for as long as that is remembered."""
        row = await self._script("ended", kernel_id)
        return _kernel.decode(row) if row else None

    async def registry(self) -> Registry:
        """Return all kernels, in one round trip."""
        reply = await self._script("registry")
        settling, rows, runner_rows, alive, gone, feed_id, number = reply
        addresses = {
            runner_id: _runner.decode(row).runner.address for runner_id, row in _pairs(runner_rows)
        }
        live = set(alive)
        holdings = {}
        for row in rows:
            kernel = _kernel.decode(row)
            address = addresses.get(kernel.runner_id, "")
            holdings[kernel.kernel_id] = Holding(
                _at(kernel, address), lost=kernel.runner_id not in live
            )
        position = Position(feed_id, int(number)) if feed_id else None
        return Registry(holdings, frozenset(gone), bool(settling), position)

    async def changes(self, since: Position) -> Delta[Holding] | None:
        """Return which kernels have changed, in one round trip; None if that is not known."""
        found = await self._script("changes", since.feed_id, since.number)
        if not found:
            return None
        number, gone, flat = found
        rows = (_holding(*flat[at : at + 3]) for at in range(0, len(flat), 3))
        holdings = {holding.kernel.kernel_id: holding for holding in rows}
        return Delta(holdings, frozenset(gone), Position(since.feed_id, int(number)))

    async def arrival(self, since: Position, within_s: float) -> None:
        """Return when something has changed since, or the time is up."""
        await self._commands.arrival(_KEYS[-1], f"{since.number}-0", within_s)

    async def offers(self) -> tuple[Offer, ...]:
        """Return what can be started now, in one round trip."""
        found: dict[str, tuple[Kernelspec, list[Runner]]] = {}
        for row, specs in _pairs(await self._script("offers")):
            runner = _runner.decode(row).runner
            for spec in _kernelspecs.decode(specs):
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


def _drain_text(changes: Changes) -> str:
    if not changes.drain_changed:
        return "="
    return _text(changes.drain) if changes.drain else ""


def _member(row: str, drain: str, *numbers: int) -> Member:
    found, (live, silent_ms, held, kept) = _runner.decode(row), numbers
    return Member(
        runner=found.runner,
        kernelspec_names=tuple(sorted(found.names.values())),
        drain=_drain.decode(drain) if drain else None,
        lost=not live,
        silent_s=silent_ms / 1000,
        kernels=held,
        reserved=kept,
    )


def _holding(row: str, runner_row: str, live: int) -> Holding:
    kernel = _at(_kernel.decode(row), _runner.decode(runner_row).runner.address)
    return Holding(kernel, lost=not live)


def _at(kernel: Kernel, address: str) -> Kernel:
    return replace(kernel, runner_address=address)


def _runner_row(runner: Runner, specs: Iterable[Kernelspec], revision: int) -> str:
    names = {spec.name.lower(): spec.name for spec in specs}
    return _text(_RunnerRow(runner, runner.capacity, revision, names))


def _kernel_rows(kernels: Iterable[Kernel]) -> Iterable[str | int]:
    for kernel in kernels:
        yield from _row(kernel)


def _row(kernel: Kernel) -> tuple[str, int, str, str]:
    return kernel.kernel_id, kernel.revision, kernel.owner, _text(kernel)


def _pairs(flat: Sequence[str]) -> Iterable[tuple[str, str]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
