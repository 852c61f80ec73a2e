"""Requests that cannot even be parsed: what aiohttp says of them quotes nothing.

There may be a token in what it quotes, to the client and in the log.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web_protocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger

if TYPE_CHECKING:
    from aiohttp import web


class QuotesNoRequest(logging.Filter):
    """Leaves of the error only what kind it is."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record, if it is about such a request."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.msg, record.args = "a request could not be read: %s", (type(error).__name__,)
            record.exc_info = record.exc_text = None
        return True


def quote_nothing() -> None:
    """Make it so, for this process."""
    server_logger.addFilter(QuotesNoRequest())
    answer = web_protocol.RequestHandler.handle_error

    def handle_error(
        handler: web_protocol.RequestHandler,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        del message
        return answer(handler, request, status, exc, HTTPStatus(status).phrase)

    # There is no setting for it.
    setattr(web_protocol.RequestHandler, "handle_error", handle_error)  # noqa: B010
