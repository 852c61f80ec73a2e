"""The contents process: `python -m perijove_contents`."""

from perijove_chassis import server, tls
from perijove_chassis.allocator import keep_freed_memory
from perijove_chassis.credentials import Issuer, Verifier, derive_key
from perijove_chassis.publishing import published
from prometheus_client import CollectorRegistry

from perijove_contents import assembly
from perijove_contents.backends.events import sender
from perijove_contents.backends.leftovers import keep_swept
from perijove_contents.backends.threads import Threads
from perijove_contents.settings import PREFIX, Settings


async def main(settings: Settings) -> None:
    """Serve the document tree and the documents of front ends."""
    keep_freed_memory()
    threads = Threads(settings.threads, "storage")
    notebook_threads = Threads(settings.notebook_threads, "notebooks")
    watch = assembly.tree_watch(settings)

    async def tidy() -> None:
        try:
            await keep_swept(threads, (settings.root, *settings.places().written))
        finally:
            # Else the process would wait for those who watch.
            watch.close()

    verifier = Verifier("contents", service_key=settings.service_key, api_token=settings.api_token)
    caller = Issuer(derive_key(settings.service_key, "sessions"), "contents", "sessions")
    registry = CollectorRegistry()
    async with (
        assembly.worker_pool(settings, threads) as workers,
        published(settings.events, caller, tls.dialing(settings), registry, sender) as tell,
    ):
        services = assembly.services(settings, threads, notebook_threads, workers, watch, tell)
        await server.serve(settings, verifier, services, background=tidy, registry=registry)


if __name__ == "__main__":
    server.run("contents", Settings, main, prefix=PREFIX)
