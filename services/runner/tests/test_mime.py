"""Bundles of MIME types become text, JSON and bytes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perijove_runner.execution import mime
from perijove_runner.execution.model import MimeBundle, MimeData

PNG = b"\x89PNG\r\n" * 20
ENCODED = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    ("mime_type", "value", "expected"),
    [
        ("text/plain", "a", MimeData("text/plain", "a")),
        ("text/plain", ["a\n", "b"], MimeData("text/plain", "a\nb")),
        ("image/png", ENCODED, MimeData("image/png", PNG)),
        ("image/png", base64.encodebytes(PNG).decode(), MimeData("image/png", PNG)),
        ("image/png", "no base64!", MimeData("image/png", "no base64!")),
        ("image/svg+xml", "<svg/>", MimeData("image/svg+xml", "<svg/>")),
        ("audio/wav", ENCODED, MimeData("audio/wav", PNG)),
        ("application/pdf", ENCODED, MimeData("application/pdf", PNG)),
        ("application/javascript", "abcd", MimeData("application/javascript", "abcd")),
        ("application/json", {"a": 1}, MimeData("application/json", '{"a":1}', is_json=True)),
        ("application/json", ["a"], MimeData("application/json", '["a"]', is_json=True)),
        ("application/x+json", "s", MimeData("application/x+json", '"s"', is_json=True)),
        ("text/plain", {"a": 1}, MimeData("text/plain", '{"a":1}', is_json=True)),
        ("image/png", None, MimeData("image/png", "null", is_json=True)),
    ],
)
def test_a_value_becomes_what_its_type_stands_for(
    mime_type: str, value: Any, expected: MimeData
) -> None:
    assert mime.bundle({mime_type: value}, {}).data == (expected,)


def test_metadata_is_kept_as_it_is() -> None:
    found = mime.bundle({}, {"image/png": {"width": 10**18}})
    assert found.metadata_json == '{"image/png":{"width":1000000000000000000}}'


@pytest.mark.parametrize("nonsense", [None, [], "x", 3])
def test_what_is_no_bundle_is_empty(nonsense: object) -> None:
    assert mime.bundle(nonsense, nonsense) == MimeBundle()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["image/png", "text/html", "a/b+json"]), json_values))
def test_whatever_a_kernel_says_can_be_sent(data: dict[str, Any]) -> None:
    found = mime.bundle(data, data)
    assert [one.mime_type for one in found.data] == list(data)
    assert found.size_bytes >= sum(len(one.value) for one in found.data)
