from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from perijove_gateway_http.forwarding import Forwarding


@pytest.mark.parametrize(
    ("headers", "client", "scheme"),
    [
        ([("X-Real-IP", "192.0.2.1")], "192.0.2.1", "http"),
        ([("X-Forwarded-For", "192.0.2.1, 192.0.2.2")], "192.0.2.2", "http"),
        ([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "::1")], "::1", "http"),
        ([("X-Forwarded-For", "192.0.2.1"), ("X-Real-IP", "192.0.2.9")], "192.0.2.9", "http"),
        ([("X-Forwarded-For", "nobody")], "", "http"),
        ([("X-Forwarded-Proto", "https")], "", "https"),
        ([("X-Scheme", "HTTPS"), ("X-Forwarded-Proto", "http")], "", "https"),
        ([("X-Forwarded-Proto", "http,https")], "", "https"),
        ([("X-Forwarded-Proto", "javascript")], "", "http"),
        ([], "", "http"),
    ],
)
def test_what_a_proxy_says_counts_only_where_it_is_trusted(
    headers: list[tuple[str, str]], client: str, scheme: str
) -> None:
    from multidict import CIMultiDict

    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers))
    own = request.remote or ""
    trusting, other = Forwarding(is_trusted=True), Forwarding(is_trusted=False)
    assert trusting.client(request) == (client or own)
    assert trusting.scheme(request) == scheme
    assert other.client(request) == own
    assert other.scheme(request) == "http"
