"""Output in haste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.differences import differs_in
from tests.conformance.kernels import TestKernel
from tests.kernel_sockets import answers, printed

if TYPE_CHECKING:
    from tests.conformance.client import Server

LINES = 6000


async def test_all_that_a_cell_prints_arrives(server: Server) -> None:
    kernel = TestKernel(server)
    code = f"import sys\nfor i in range({LINES}): print(i, flush=True)"
    try:
        async with kernel.connected() as socket:
            asked = await socket.execute(code)
            seen = await socket.until_done(asked)
    finally:
        kernel.remove()
    whole = "".join(f"{i}\n" for i in range(LINES))
    if differs_in(server, "output without a pause"):
        errors = [m["content"]["text"] for m in answers(seen, asked) if _is_error(m["content"])]
        assert "rate exceeded" in "".join(errors)
        assert printed(seen, asked) != whole
    else:
        assert printed(seen, asked) == whole


def _is_error(content: dict[str, object]) -> bool:
    return content.get("name") == "stderr"
