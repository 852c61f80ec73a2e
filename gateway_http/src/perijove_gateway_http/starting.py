"""Whether what front ends need is there yet, and the page that says so until it is."""

from __future__ import annotations

import asyncio
import html
from typing import TYPE_CHECKING

import grpc
from perijove.contents.v1 import contents_pb2
from perijove.kernels.v1 import kernelspecs_pb2
from perijove.runners.v1 import runners_pb2
from perijove.sessions.v1 import sessions_pb2
from perijove_chassis import errors, status
from perijove_chassis.permissions import for_nobody

from perijove_gateway_http import pages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from perijove_gateway_http.stubs import Stubs

PATIENCE_S = 2.0
"""How long a page is held before its place is taken by the one that says what is missing."""

AGAIN_S = 0.1

IN_SPITE = "in-spite-of-what-is-missing"
"""Name in the query of a page that is wanted in any case."""

_SLOW = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

_HEAD = """\
<style>
li {{ list-style: none; margin: .3em 0 }}
li::before {{ content: "\\2713"; color: #2a7d3a; display: inline-block; width: 1.6em }}
li.missing::before {{ content: "\\2026"; color: #b35c00; font-weight: bold }}
ul {{ padding: 0 }}
</style>
<link rel="icon" type="image/x-icon" href="{base}static/favicons/favicon.ico">
<noscript><meta http-equiv="refresh" content="2"></noscript>
"""

_BODY = """\
<h1>{title} is starting</h1>
<main role="status">
<ul>
{parts}
</ul>
</main>
<p>This page goes on by itself. It has waited for <span id="seconds">0</span> s.</p>
<p><a id="in-spite" href="?{in_spite}">Open {title} now</a>, without what is missing.</p>
<script>
  const began = Date.now();
  const address = new URL(window.location.href);
  // A token in the address would stay in the history and in copied links.
  if (address.searchParams.has("token")) {{
    address.searchParams.delete("token");
    window.history.replaceState({{}}, "", address.href);
  }}
  const link = new URL(address.href);
  link.searchParams.set("{in_spite}", "");
  document.getElementById("in-spite").href = link.href;
  async function look() {{
    try {{
      const answer = await fetch(address.href, {{ cache: "no-store" }});
      const text = await answer.text();
      if (answer.status !== 503) {{
        window.location.reload();
        return;
      }}
      const found = new DOMParser().parseFromString(text, "text/html");
      document.querySelector("main").replaceWith(found.querySelector("main"));
    }} catch (error) {{
      // The server itself is away for a moment.
    }}
    setTimeout(look, 1000);
  }}
  setTimeout(look, 1000);
  setInterval(() => {{
    const seconds = Math.round((Date.now() - began) / 1000);
    document.getElementById("seconds").textContent = seconds;
  }}, 1000);
</script>
"""


class NotYet(Exception):
    """Something is not there yet; the message says what it waits for."""


class Readiness:
    """Asks the services whether they can serve a front end."""

    def __init__(self, parts: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        """Take the parts by the names that people have for them.

        Args:
            parts: Each raises `NotYet`, or `grpc.RpcError` if it is not reached.
        """
        self._parts = dict(parts)

    @classmethod
    def of(cls, stubs: Stubs) -> Readiness:
        """Return the readiness of the services."""

        async def files() -> None:
            wanted = contents_pb2.GetEntryRequest(untold=True)
            await stubs.contents.GetEntry(wanted, timeout=PATIENCE_S)

        async def sessions() -> None:
            wanted = sessions_pb2.ListSessionsRequest(page_size=1)
            await stubs.sessions.ListSessions(wanted, timeout=PATIENCE_S)

        async def kernels() -> None:
            wanted = kernelspecs_pb2.ListKernelspecsRequest(page_size=1)
            reply = await stubs.kernelspecs.ListKernelspecs(wanted, timeout=PATIENCE_S)
            if reply.kernelspecs:
                return
            # A machine without kernelspecs is one that will have none either.
            runners = runners_pb2.ListRunnersRequest(page_size=1)
            if not (await stubs.runners.ListRunners(runners, timeout=PATIENCE_S)).runners:
                raise NotYet("no machine that runs kernels is there yet")

        return cls({"Files and settings": files, "Sessions": sessions, "Kernels": kernels})

    async def missing(self) -> dict[str, str]:
        """Return what each part waits for; nothing of those that are there.

        It waits a moment itself, so that what is but restarted is not noticed.
        """
        found = await asyncio.gather(*(self._cause(part) for part in self._parts.values()))
        return {name: why for name, why in zip(self._parts, found, strict=True) if why}

    def page(self, title: str, base_url: str, missing: Mapping[str, str]) -> str:
        """Return the page that says what is missing, and goes on when nothing is."""
        parts = [
            f'<li class="missing">{name}: {html.escape(missing[name])}</li>'
            if name in missing
            else f"<li>{name}</li>"
            for name in self._parts
        ]
        body = _BODY.format(title=html.escape(title), parts="\n".join(parts), in_spite=IN_SPITE)
        return pages.page(f"Starting: {title}", body, _HEAD.format(base=html.escape(base_url)))

    @staticmethod
    async def _cause(part: Callable[[], Awaitable[None]]) -> str:
        cause = "no answer yet"
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        # It is no user's business, whoever the page is for.
                        with for_nobody():
                            await part()
                    except NotYet as not_yet:
                        cause = str(not_yet)
                    except grpc.aio.AioRpcError as error:
                        meaning = status.error_of(error)
                        if error.code() not in _SLOW:
                            return ""  # it is there, and says what it has to say in the front end
                        cause = _of(meaning)
                    else:
                        return ""
                    await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            return cause


def _of(meaning: errors.DomainError) -> str:
    # Other messages name addresses.
    return str(meaning) if meaning.reason else "no answer yet"
