"""The kernels process: `python -m perijove_kernels`."""

from perijove_chassis import server, tls
from perijove_chassis.credentials import Issuer, Verifier, derive_key
from perijove_chassis.publishing import published
from prometheus_client import CollectorRegistry

from perijove_kernels.assembly import assembled
from perijove_kernels.backends.events import sender
from perijove_kernels.settings import Settings


async def main(settings: Settings) -> None:
    """Serve until told to stop."""
    key, dialing, registry = settings.service_key, tls.dialing(settings), CollectorRegistry()
    caller = Issuer(derive_key(key, "sessions"), "kernels", "sessions")
    verifier = Verifier("kernels", service_key=key, api_token=settings.api_token)
    async with (
        published(settings.events, caller, dialing, registry, sender) as tell,
        assembled(settings, tell, registry) as parts,
    ):
        await server.serve(
            settings,
            verifier,
            parts.rows,
            background=parts.background,
            doors=parts.doors,
            registry=registry,
        )


if __name__ == "__main__":
    server.run("kernels", Settings, main, prefix="PERIJOVE_KERNELS_")
