"""Which handler a request is for, decided on the raw path.

The path is split as it travels and each captured part is decoded once: a
router that decodes first takes `a%2Fb` for two segments and an encoded `..`
for a step up.

A pattern is a list of segments below the base URL: a literal; `{name}`, one
segment; `{name:regex}`, one that matches as a whole, still encoded;
`{name...}`, any number of segments, none of which is empty; `{name*}`, whatever
is left, empty segments too.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote_to_bytes

import msgspec
from aiohttp.web_urldispatcher import AbstractResource, AbstractRoute, UrlMappingMatchInfo

from perijove_gateway_http.keys import MATCH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from aiohttp import web
    from aiohttp.web_urldispatcher import _InfoDict
    from yarl import URL

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PARAMETER = re.compile(r"\{(\w+)(\.\.\.|\*|:.+)?\}")


class Guard(enum.Enum):
    """Who may ask, and how a refusal looks."""

    API = enum.auto()
    """A user; others get 403 as JSON. Errors are JSON."""
    PAGE = enum.auto()
    """A user; others are sent to the login page. Errors are HTML."""
    WEBSOCKET = enum.auto()
    """A user; others get 403 as JSON before the upgrade."""
    PUBLIC = enum.auto()
    """Anyone. Errors are HTML."""
    PUBLIC_API = enum.auto()
    """Anyone. Errors are JSON."""

    @property
    def is_api(self) -> bool:
        """Whether this is the API that programs use, with preflights and a strict CSP."""
        return self in (Guard.API, Guard.PUBLIC_API)

    @property
    def answers_json(self) -> bool:
        """Whether errors are JSON."""
        return self.is_api or self is Guard.WEBSOCKET


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one pattern."""

    method: str
    pattern: str
    handler: Handler
    guard: Guard = Guard.API
    counts_as_activity: bool = True
    """Whether a request shows that somebody works here."""
    checks_xsrf: bool = True
    """Whether a request that may change something must prove its origin."""
    in_sandbox: bool = False
    """Whether what is served may hold scripts, which run without the origin of the server."""


@dataclass(frozen=True, slots=True)
class Row:
    """A compiled pattern with its methods."""

    pattern: str
    segments: tuple[_Segment, ...]
    routes: dict[str, Route] = field(default_factory=dict)

    @property
    def guard(self) -> Guard:
        """The guard of the routes; that of the first one if they differ."""
        return next(iter(self.routes.values())).guard

    @property
    def in_sandbox(self) -> bool:
        """Whether what the routes serve runs in a sandbox, their errors too."""
        return any(route.in_sandbox for route in self.routes.values())

    def captured(self, raw: Sequence[str]) -> dict[str, str] | None:
        """Return what a raw path captures, still encoded, or None if it does not match."""
        return _captured(self.segments, raw)


class Match(msgspec.Struct, frozen=True):
    """The row that a request is for. Made for each one: a dataclass takes ten times as long."""

    row: Row
    route: Route | None
    """None if the row does not know the method."""
    raw_params: dict[str, str]

    def params(self) -> dict[str, str]:
        """Return what was captured, decoded once.

        Raises:
            UnicodeDecodeError: if that is no UTF-8.
        """
        return {name: unquote_to_bytes(raw).decode() for name, raw in self.raw_params.items()}


class _Kind(enum.Enum):
    LITERAL = enum.auto()
    ONE = enum.auto()
    MANY = enum.auto()
    REST = enum.auto()


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: _Kind
    text: str
    regex: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str) -> _Segment:
        parameter = _PARAMETER.fullmatch(text)
        if not parameter:
            return cls(_Kind.LITERAL, text)
        name, kind = parameter.groups()
        if kind == "...":
            return cls(_Kind.MANY, name)
        if kind == "*":
            return cls(_Kind.REST, name)
        return cls(_Kind.ONE, name, re.compile(kind[1:]) if kind else None)

    def takes(self, raw: str, into: dict[str, str]) -> bool:
        """Match one raw segment, and note it if it is a parameter."""
        if self.kind is _Kind.LITERAL:
            return raw == self.text
        if not raw or (self.regex and not self.regex.fullmatch(raw)):
            return False
        into[self.text] = raw
        return True


class Table:
    """Every route below a base URL. The first pattern that matches wins."""

    def __init__(self, base_url: str, routes: Sequence[Route]) -> None:
        """Compile the routes.

        Args:
            base_url: Begins and ends with a slash; may hold percent escapes.
            routes: In order of precedence.
        """
        self._base = [unquote_to_bytes(part) for part in base_url.strip("/").split("/") if part]
        self._rows: dict[str, Row] = {}
        for route in routes:
            row = self._rows.get(route.pattern)
            if row is None:
                segments = tuple(_Segment.parse(part) for part in route.pattern.split("/"))
                row = self._rows[route.pattern] = Row(route.pattern, segments)
            if route.method in row.routes:
                raise ValueError(f"two routes for {route.method} {route.pattern}")
            row.routes[route.method] = route
        # Most requests are for one of these; the others are tried one by one.
        self._literal: dict[str, Row] = {}
        for index, row in enumerate(self.rows):
            raw = row.pattern.split("/")
            earlier = self.rows[:index]
            if _is_literal(row) and not any(one.captured(raw) is not None for one in earlier):
                self._literal[row.pattern] = row
        self._by_head: dict[str, list[Row]] = {}
        heads = {row.segments[0].text for row in self.rows if _has_literal_head(row)}
        for head in ("", *heads):
            self._by_head[head] = [
                row
                for row in self.rows
                if not _has_literal_head(row) or row.segments[0].text == head
            ]

    @property
    def rows(self) -> list[Row]:
        """Every pattern, in order of precedence."""
        return list(self._rows.values())

    def match(self, method: str, raw_path: str) -> Match | None:
        """Find the row for a request, or None if nothing is at the path."""
        raw = raw_path.split("/")[1:]
        below = len(self._base)
        if len(raw) <= below or [unquote_to_bytes(part) for part in raw[:below]] != self._base:
            return None
        raw = raw[below:]
        if literal := self._literal.get("/".join(raw)):
            return Match(literal, literal.routes.get(method), {})
        for row in self._by_head.get(raw[0]) or self._by_head[""]:
            captured = row.captured(raw)
            if captured is not None:
                return Match(row, row.routes.get(method), captured)
        return None


def _is_literal(row: Row) -> bool:
    return all(segment.kind is _Kind.LITERAL for segment in row.segments)


def _has_literal_head(row: Row) -> bool:
    return row.segments[0].kind is _Kind.LITERAL


def _captured(segments: tuple[_Segment, ...], raw: Sequence[str]) -> dict[str, str] | None:
    captured: dict[str, str] = {}
    for index, segment in enumerate(segments):
        if segment.kind in (_Kind.MANY, _Kind.REST):
            after = segments[index + 1 :]
            stop = len(raw) - len(after)
            if stop < index:
                return None
            middle = raw[index:stop]
            # `contents` and `contents/` both mean the root.
            if segment.kind is _Kind.MANY and list(middle) != [""] and not all(middle):
                return None
            captured[segment.text] = "/".join(middle)
            matches = zip(after, raw[stop:], strict=True)
            return captured if all(one.takes(part, captured) for one, part in matches) else None
        if index >= len(raw) or not segment.takes(raw[index], captured):
            return None
    return captured if len(raw) == len(segments) else None


class RawPathResource(AbstractResource):
    """Puts the table below aiohttp: it matches everything and notes the row."""

    def __init__(self, table: Table, handler: Handler) -> None:
        super().__init__()
        self._table = table
        self._route = _AnyRoute("*", handler, resource=self)

    @property
    def canonical(self) -> str:
        """Where aiohttp begins to look."""
        return "/"

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo, set[str]]:
        """Note which row the request is for."""
        match = self._table.match(request.method, request.rel_url.raw_path)
        if match:
            request[MATCH] = match
        return UrlMappingMatchInfo({}, self._route), set()

    def url_for(self, **kwargs: str) -> NoReturn:
        """Refuse: addresses are made by `responses.location`."""
        raise NotImplementedError

    def add_prefix(self, prefix: str) -> NoReturn:
        """Refuse: the base URL is part of the table."""
        raise NotImplementedError

    def get_info(self) -> _InfoDict:
        """Return nothing to know."""
        return {}

    def raw_match(self, path: str) -> bool:
        """Say that nothing is served here by its pattern."""
        del path
        return False

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[AbstractRoute]:
        return iter((self._route,))


class _AnyRoute(AbstractRoute):
    @property
    def name(self) -> str | None:
        return None

    def get_info(self) -> _InfoDict:
        return {}

    def url_for(self, *args: Any, **kwargs: Any) -> URL:  # noqa: ANN401 - as aiohttp has it
        raise NotImplementedError
