"""The lists that every front end asks for every few seconds.

They are answered from mirrors of the services' state, at no call, if those are sure
to show what the services would; and otherwise by the services.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import msgspec
from perijove.kernels.v1 import kernels_pb2
from perijove.sessions.v1 import sessions_pb2
from perijove_chassis.permissions import asked_by_nobody
from perijove_chassis.watching import Position
from prometheus_client import Counter, Gauge

from perijove_gateway_http.fence import Changes, Fence
from perijove_gateway_http.mirror import Mirror
from perijove_gateway_http.models import kernel_model, session_model
from perijove_gateway_http.sharing import Shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prometheus_client import CollectorRegistry

    from perijove_gateway_http.stubs import Stubs

_NOTED = "perijove.session."
"""Labels of kernels that begin with this name a session."""


@dataclass(frozen=True)
class ListedKernels:
    """All kernels at one moment, in the order of their start."""

    kernels: Sequence[kernels_pb2.Kernel]

    @cached_property
    def json(self) -> bytes:
        """Their models, as JSON."""
        return msgspec.json.encode([kernel_model(kernel) for kernel in self.kernels])

    @cached_property
    def connections(self) -> int:
        """How many streams are open to all of them."""
        return sum(kernel.connection_count for kernel in self.kernels)

    @cached_property
    def last_activity(self) -> float:
        """When something last happened in any, in seconds since the epoch; 0 if never."""
        times = (kernel.last_activity_time for kernel in self.kernels)
        return max((time.seconds + time.nanos / 1e9 for time in times), default=0.0)


class Lists:
    """Kernels and sessions, mirrored; whole lists of them."""

    def __init__(self, stubs: Stubs, registry: CollectorRegistry) -> None:
        self._stubs = stubs
        self.changes = Changes()
        """Changes through this edge: each is to be marked while it is under way."""
        self._kernels: Mirror[kernels_pb2.Kernel] = Mirror(
            "kernels",
            lambda after: stubs.kernels.WatchKernels(kernels_pb2.WatchKernelsRequest(after=after)),
            _kernels_told,
        )
        self._sessions: Mirror[sessions_pb2.Session] = Mirror(
            "sessions",
            lambda after: stubs.sessions.WatchSessions(
                sessions_pb2.WatchSessionsRequest(after=after)
            ),
            _sessions_told,
        )
        self._kernels_fence, self._sessions_fence = Fence(self.changes), Fence(self.changes)
        # Whoever asks first, others share the answer.
        self._asked_kernels = Shared(asked_by_nobody(self._ask_kernels))
        self._asked_sessions = Shared(asked_by_nobody(self._ask_sessions))
        self._listed: tuple[int, ListedKernels] = (0, ListedKernels(()))
        self._joined: tuple[tuple[int, int], bytes | None] = ((0, 0), None)
        self._metrics = _Metrics(registry, self._kernels, self._sessions)
        self._following: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to mirror."""
        mirrors = (self._kernels, self._sessions)
        self._following = [asyncio.create_task(mirror.run()) for mirror in mirrors]

    async def close(self) -> None:
        """Mirror no more."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    async def kernels(self) -> ListedKernels:
        """Return all kernels."""
        mirrored = self._kernels_shown
        self._metrics.count("kernels", mirrored=mirrored)
        if not mirrored:
            return await self._asked_kernels.get()
        version, listed = self._listed
        if version != self._kernels.version:
            listed = ListedKernels(sorted(self._kernels.items.values(), key=_start_order))
            self._listed = (self._kernels.version, listed)
        return listed

    async def sessions(self) -> bytes:
        """Return the models of all sessions, as JSON."""
        joined = self._join() if self._kernels_shown and self._sessions_shown else None
        self._metrics.count("sessions", mirrored=joined is not None)
        return await self._asked_sessions.get() if joined is None else joined

    @property
    def _kernels_shown(self) -> bool:
        return self._kernels.in_step and self._kernels_fence.passed(self._kernels.position)

    @property
    def _sessions_shown(self) -> bool:
        return self._sessions.in_step and self._sessions_fence.passed(self._sessions.position)

    def _join(self) -> bytes | None:
        """Return the sessions with their kernels; None if one does not fit the other."""
        versions = (self._kernels.version, self._sessions.version)
        if self._joined[0] != versions:
            self._joined = (versions, _joined(self._kernels.items, self._sessions.items))
        return self._joined[1]

    async def _ask_kernels(self) -> ListedKernels:
        settled, position = self.changes.settled, None
        kernels: list[kernels_pb2.Kernel] = []
        request = kernels_pb2.ListKernelsRequest()
        while True:
            reply = await self._stubs.kernels.ListKernels(request)
            if not request.page_token:
                # Later pages show at least what the first one does.
                position = _position(reply.position)
            kernels += reply.kernels
            request.page_token = reply.next_page_token
            if not request.page_token:
                break
        self._kernels_fence.answered(settled, position, in_step=self._kernels.in_step)
        return ListedKernels(kernels)

    async def _ask_sessions(self) -> bytes:
        settled, first = self.changes.settled, None
        sessions: list[sessions_pb2.Session] = []
        request = sessions_pb2.ListSessionsRequest()
        while True:
            reply = await self._stubs.sessions.ListSessions(request)
            first = first or reply
            sessions += reply.sessions
            request.page_token = reply.next_page_token
            if not request.page_token:
                break
        position, kernels = _position(first.position), _position(first.kernels_position)
        self._sessions_fence.answered(settled, position, in_step=self._sessions.in_step)
        self._kernels_fence.answered(settled, kernels, in_step=self._kernels.in_step)
        return msgspec.json.encode([session_model(session) for session in sessions])


class _Metrics:
    """Counts how lists are answered, and says which mirrors are in step."""

    def __init__(self, registry: CollectorRegistry, *mirrors: Mirror) -> None:
        counter = Counter(
            "perijove_lists_total",
            "Lists answered, by what was listed and whether its service was asked for it.",
            ["listed", "by"],
            registry=registry,
        )
        self._counts = {
            (listed, mirrored): counter.labels(listed, "mirror" if mirrored else "service")
            for listed in ("kernels", "sessions")
            for mirrored in (True, False)
        }
        gauge = Gauge(
            "perijove_mirror_in_step",
            "Whether a mirror is known to show what its service would.",
            ["mirror"],
            registry=registry,
        )
        for mirror in mirrors:
            gauge.labels(mirror.name).set_function(partial(_in_step, mirror))

    def count(self, listed: str, *, mirrored: bool) -> None:
        """Count one list."""
        self._counts[listed, mirrored].inc()


def _in_step(mirror: Mirror) -> float:
    return float(mirror.in_step)


def _kernels_told(
    told: kernels_pb2.WatchKernelsResponse,
) -> tuple[Mapping[str, kernels_pb2.Kernel], Sequence[str]]:
    return {kernel.kernel_id: kernel for kernel in told.kernels}, told.ended_kernel_ids


def _sessions_told(
    told: sessions_pb2.WatchSessionsResponse,
) -> tuple[Mapping[str, sessions_pb2.Session], Sequence[str]]:
    return {session.session_id: session for session in told.sessions}, told.deleted_session_ids


def _joined(
    kernels: Mapping[str, kernels_pb2.Kernel], sessions: Mapping[str, sessions_pb2.Session]
) -> bytes | None:
    """Return the models of the sessions, or None if only their service can say them.

    That is so while a kernel is gone and its session is not, or the reverse: between
    two messages, or because something has to be repaired.
    """
    for kernel in kernels.values():
        if _has_ended(kernel):
            continue
        noted = [key.removeprefix(_NOTED) for key in kernel.labels if key.startswith(_NOTED)]
        if any(session_id not in sessions for session_id in noted):
            return None
    models = []
    for session in sorted(sessions.values(), key=_creation_order):
        found = kernels.get(session.kernel.kernel_id)
        if found is None or found.execution_state == kernels_pb2.EXECUTION_STATE_DEAD:
            return None
        models.append(session_model(session, found))
    return msgspec.json.encode(models)


def _has_ended(kernel: kernels_pb2.Kernel) -> bool:
    may_return = kernel.last_exit.cause == kernels_pb2.EXIT_CAUSE_RUNNER_LOST
    return kernel.execution_state == kernels_pb2.EXECUTION_STATE_DEAD and not may_return


def _start_order(kernel: kernels_pb2.Kernel) -> tuple[int, int, str]:
    return kernel.create_time.seconds, kernel.create_time.nanos, kernel.kernel_id


def _creation_order(session: sessions_pb2.Session) -> tuple[int, int, str]:
    return session.create_time.seconds, session.create_time.nanos, session.session_id


def _position(message: kernels_pb2.FeedPosition) -> Position | None:
    return Position(message.feed_id, message.number) if message.feed_id else None
