"""The request parser, without protocol upgrades.

A client may offer to go on in another protocol (`Connection: Upgrade`); Java's HttpClient offers HTTP/2 with its first
request by default. A server that does not want to answers by HTTP/1.1 as if there were no offer (RFC 9110, 7.8).
httptools ends the request at its headers then, and what follows, the body, would be parsed as the next request.
"""

from typing import Protocol

import httptools

_DROPPED = (b"connection", b"http2-settings", b"upgrade")


class Callbacks(Protocol):
    """What is told of requests; see httptools."""

    url: bytes
    headers: list[tuple[bytes, bytes]]


class RequestParser:
    """httptools' parser; a request that offers an upgrade is parsed again without the offer."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._parser = self._new()
        self.get_method = self._parser.get_method
        self.get_http_version = self._parser.get_http_version
        self.should_keep_alive = self._parser.should_keep_alive

    @staticmethod
    def should_upgrade() -> bool:
        """Whether the connection goes on in another protocol: never."""
        return False

    @property
    def is_offered_upgrade(self) -> bool:
        """Whether the request whose head is complete offers one; it will be parsed again."""
        return bool(self._parser.should_upgrade())

    def feed_data(self, data: bytes) -> None:
        """Parses what arrived.

        Raises:
            HttpParserError: It is not HTTP.
        """
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                (consumed,) = upgrade.args
                data = self._head() + data[consumed:]
                self._replace()
            else:
                return

    def _head(self) -> bytes:
        """The request's head without the offer."""
        headers = self._callbacks.headers
        lines = [b"%s: %s\r\n" % header for header in headers if header[0] not in _DROPPED]
        if any(
            name == b"connection" and b"close" in value.lower().replace(b" ", b"").split(b",")
            for name, value in headers
        ):
            lines.append(b"connection: close\r\n")
        version = self.get_http_version().encode()
        return b"%s %s HTTP/%s\r\n%s\r\n" % (self.get_method(), self._callbacks.url, version, b"".join(lines))

    def _replace(self) -> None:
        self._parser = self._new()
        self.get_method = self._parser.get_method
        self.get_http_version = self._parser.get_http_version
        self.should_keep_alive = self._parser.should_keep_alive

    def _new(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self._callbacks)
        # As uvicorn sets it: pipelined requests behind one that asks to close.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser
