"""What gRPC reads from the environment of a process when it is imported."""

from __future__ import annotations

from typing import Final

VARIABLE: Final = "GRPC_EXPERIMENTS"
"""Names the parts of itself that gRPC uses or, after a minus, does not."""

FEWER_THREADS: Final = "-event_engine_client,-event_engine_listener"
"""Lets the thread that waits for messages read them itself, instead of handing
each from thread to thread. For processes that pass on many messages, or large
ones: see docs/adr/0010."""
