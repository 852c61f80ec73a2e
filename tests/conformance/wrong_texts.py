"""Contents, sent wrongly: what is no JSON, no text, no base64 and no notebook."""

from __future__ import annotations

from tests.conformance.row import Row


def _file(name: str, content: bytes, after: bytes = b"") -> Row:
    """A new file whose content is this JSON text, with more after the object."""
    body = b'{"type": "file", "format": "text", "content": ' + content + b"}" + after
    return Row(f"text-{name}", "PUT", "api/contents/z.txt", 400, raw=body)


def _base64(content: str) -> Row:
    json = {"type": "file", "format": "base64", "content": content}
    return Row(f"base64 {content}", "PUT", "api/contents/z.bin", 400, json=json)


def _notebook(name: str, content: bytes) -> Row:
    """A new notebook that is this JSON text."""
    body = b'{"type": "notebook", "content": ' + content + b"}"
    return Row(f"notebook-{name}", "PUT", "api/contents/z.ipynb", 400, raw=body)


WRONG_TEXTS = (
    _file("with-half-a-character", b'"\\ud800"'),
    _file("with-a-line", b'"a\nb"'),
    _file("of-no-utf-8", b'"\xff"'),
    _file("that-is-a-list", b'["a"]'),
    _file("that-is-true", b"true"),
    _file("with-something-after", b'"a"', b"x"),
    _file("with-a-hard-space-after", b'"a"', b"\xc2\xa0"),
    _file("with-a-comment", b'"a" /* x */'),
    _file("with-no-number-beside", b'"a", "x": NaN'),
    Row("text-with-a-mark-before", "PUT", "api/contents/z.txt", 400, raw=b"\xef\xbb\xbf{}"),
    Row("text-in-single-quotes", "PUT", "api/contents/z.txt", 400, raw=b"{'type': 'file'}"),
    Row(
        "text-in-utf-16", "PUT", "api/contents/z.txt", 400, raw='{"type": "file"}'.encode("utf-16")
    ),
    *map(_base64, ("A", "AA", "AAE", "AA-_", "AAEC\u00e9", "AAECA", "AAECAA=", "AA=AEC")),
    _notebook("with-no-number", b'{"cells": [], "metadata": {"a": NaN}, "nbformat": 4}'),
    _notebook(
        "with-half-a-character", b'{"cells": [], "metadata": {"a": "\\ud800"}, "nbformat": 4}'
    ),
    _notebook("without-metadata", b'{"cells": [], "nbformat": 4, "nbformat_minor": 5}'),
    _notebook("without-cells", b'{"metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
    _notebook("without-format", b'{"cells": [], "metadata": {}}'),
    _notebook("of-a-text-format", b'{"cells": [], "metadata": {}, "nbformat": "4"}'),
    _notebook("of-format-5", b'{"cells": [], "metadata": {}, "nbformat": 5, "nbformat_minor": 0}'),
)
