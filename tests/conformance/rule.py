"""One right request and all that must come of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.client import Answer
    from tests.conformance.given import Thing

CONTENTS_KEYS = {
    *("name", "path", "last_modified", "created", "content", "format", "mimetype", "size"),
    *("writable", "hash", "hash_algorithm", "type"),
}


@dataclass(frozen=True)
class Rule:
    """A request that is fulfilled."""

    says: str
    method: str
    target: str
    status: int = 200
    json: Any = None
    raw: bytes | None = None
    """The body, if it is not `json`."""
    sends: Mapping[str, str] = field(default_factory=dict)
    """Headers of the request."""
    given: Mapping[str, Thing] = field(default_factory=dict)
    """What lies in the tree besides; see `given.py`."""
    model: Mapping[str, Any] | None = None
    """Members of the answer; a pattern must match the whole of a text. None if it is no JSON."""
    body: bytes | None = b""
    """The answer, if it is no JSON; None for any."""
    content: Mapping[str, Any] = field(default_factory=dict)
    """Members of the content of the model."""
    has_message: re.Pattern[str] | None = None
    """What the model says of an invalid notebook; None for nothing."""
    headers: Mapping[str, str | re.Pattern[str] | None] = field(default_factory=dict)
    """Headers of the answer; None for one that must not be there."""
    leaves: Mapping[str, Thing] = field(default_factory=dict)
    """What lies in the tree afterwards."""

    def expect(self, answer: Answer, base: str) -> None:
        """Check an answer of a server whose addresses begin with `base`; in rules with a slash."""
        assert answer.status == self.status, answer.body
        for name, said in self.headers.items():
            wanted = said
            if isinstance(said, str) and name in ("Location", "Content-Security-Policy"):
                wanted = re.sub(r"(^| )/", rf"\1{base}", said)
            assert _matches(answer.headers.get(name), wanted), (name, answer.headers.get(name))
        if self.model is None:
            assert self.body in (answer.body, None)
            return
        assert answer.headers["Content-Type"] == "application/json"
        if self.content or self.has_message:
            assert _matches(answer.json.get("message"), self.has_message)
        for name, wanted in self.content.items():
            assert answer.json["content"][name] == wanted, name
        for name, wanted in self.model.items():
            assert _matches(answer.json[name], wanted), (name, answer.json[name])


def _matches(found: object, wanted: object) -> bool:
    if isinstance(wanted, re.Pattern):
        return isinstance(found, str) and wanted.fullmatch(found) is not None
    return found == wanted
