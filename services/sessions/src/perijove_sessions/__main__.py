"""The sessions process: `python -m perijove_sessions`."""

from perijove_chassis import server, tls
from perijove_chassis.credentials import Verifier
from perijove_chassis.watching import Watching

from perijove_sessions import services
from perijove_sessions.backends.contents import GrpcContents
from perijove_sessions.backends.kernels import GrpcKernels
from perijove_sessions.backends.redis import RedisSessionStore
from perijove_sessions.events.assembly import Events
from perijove_sessions.manager import SessionManager
from perijove_sessions.reconciling import Reconciler
from perijove_sessions.settings import Settings
from perijove_sessions.watching import StoredSessions, Tending


async def main(settings: Settings) -> None:
    """Serve until told to stop."""
    store = RedisSessionStore(settings.redis_url.reveal())
    dialing = tls.dialing(settings)
    kernels = GrpcKernels(settings.kernels, settings.service_key, dialing)
    contents = GrpcContents(settings.contents, settings.service_key, dialing)
    reconciler, watching = Reconciler(store, kernels), Watching(StoredSessions(store))
    manager = SessionManager(store, kernels, contents, reconciler)
    events, tending = Events(settings), Tending(reconciler, watching)
    verifier = Verifier("sessions", service_key=settings.service_key, api_token=settings.api_token)
    try:
        await server.serve(
            settings,
            verifier,
            [services.sessions(manager, watching), services.events(events.manager)],
            background=events.beside(tending.run),
        )
    finally:
        await events.close()
        await contents.close()
        await kernels.close()
        await store.close()


if __name__ == "__main__":
    server.run("sessions", Settings, main, prefix="PERIJOVE_SESSIONS_")
