"""The connections to models: made, kept while they are idle, used again."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import NamedTuple

from yarl import URL

from serve_app.gateway.upstream.connection import Connection
from serve_app.gateway.upstream.egress_proxy import EgressProxy, egress_proxy, tunnel

IDLE_SECONDS = 30


class Origin(NamedTuple):
    """The server at the other end of a connection."""

    host: str
    port: int
    tls: bool
    external: bool = False
    """Whether a proxy may lead to it."""


class Pool:
    """Idle connections by server; as many as there were requests at a time."""

    def __init__(self) -> None:
        """Starts with none."""
        self._idle: dict[Origin, list[Connection]] = {}
        self._look_ups: dict[Origin, asyncio.Task[list[str]]] = {}
        self._loop = asyncio.get_running_loop()
        self._sweeping = self._loop.call_later(IDLE_SECONDS, self._sweep)
        self._tls: ssl.SSLContext | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["Pool"]:
        """A pool that ends its connections at the end."""
        pool = cls()
        try:
            yield pool
        finally:
            pool._close()

    async def connection(self, origin: Origin, *, fresh: bool, seconds: float) -> Connection:
        """One to use, given back with `Connection.release`.

        Args:
            origin: The server to connect to.
            fresh: Makes a new one, with a new look-up of the name.
            seconds: How long making one may take.

        Raises:
            TimeoutError: It took longer.
            OSError: There is nobody, or nobody who can be trusted.
        """
        idle = self._idle.get(origin) if not fresh else None
        while idle:
            connection = idle.pop()  # the one that was used last; those that are too many get old
            if connection.is_open:
                return connection
        async with asyncio.timeout(seconds):
            return await self._made(origin)

    async def _made(self, origin: Origin) -> Connection:
        home = _Home(self, origin)
        context, name = (self._context(), origin.host) if origin.tls else (None, None)
        proxy = egress_proxy(origin.host, origin.port, tls=origin.tls) if origin.external else None
        if proxy is not None:
            return await self._through(proxy, origin, home)
        failure = OSError(f"{origin.host} has no address")
        for address in await self._addresses(origin):
            try:
                _, connection = await self._loop.create_connection(
                    lambda: Connection(home), address, origin.port, ssl=context, server_hostname=name
                )
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure

    async def _through(self, proxy: EgressProxy, origin: Origin, home: "_Home") -> Connection:
        if not origin.tls:
            _, connection = await self._loop.create_connection(
                lambda: Connection(home, proxy_header=proxy.header), proxy.host, proxy.port
            )
            return connection
        transport = await tunnel(proxy, origin.host, origin.port)
        connection = Connection(home)
        try:
            secured = await self._loop.start_tls(transport, connection, self._context(), server_hostname=origin.host)
        except BaseException:
            transport.abort()
            raise
        if secured is None:
            raise OSError(f"{origin.host} closed the connection")
        connection.connection_made(secured)
        return connection

    async def _addresses(self, origin: Origin) -> list[str]:
        """Looks a host's name up, once for all who want to know it at that moment.

        In a cluster one look-up is six questions to its DNS; a burst of requests would ask them hundreds of times.
        """
        look_up = self._look_ups.get(origin)
        if look_up is None:
            look_up = self._look_ups[origin] = asyncio.create_task(self._look_up(origin))
            look_up.add_done_callback(lambda done: self._looked_up(origin, done))
        return await asyncio.shield(look_up)

    def _looked_up(self, origin: Origin, done: "asyncio.Task[list[str]]") -> None:
        del self._look_ups[origin]
        if not done.cancelled():
            done.exception()  # seen, also where nobody waits for it any more

    async def _look_up(self, origin: Origin) -> list[str]:
        found = await self._loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in found]

    def put(self, origin: Origin, connection: Connection) -> None:
        """Takes one that is free."""
        connection.used_at = self._loop.time()
        self._idle.setdefault(origin, []).append(connection)

    def lost(self, origin: Origin, connection: Connection) -> None:
        """Forgets one that has ended."""
        idle = self._idle.get(origin)
        if idle and connection in idle:
            idle.remove(connection)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _sweep(self) -> None:
        oldest = self._loop.time() - IDLE_SECONDS
        for origin, idle in list(self._idle.items()):
            for connection in [connection for connection in idle if connection.used_at <= oldest]:
                idle.remove(connection)
                connection.close()
            if not idle:
                del self._idle[origin]
        self._sweeping = self._loop.call_later(IDLE_SECONDS, self._sweep)

    def _close(self) -> None:
        self._sweeping.cancel()
        for look_up in self._look_ups.values():
            look_up.cancel()
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle = {}


class _Home:
    """The place in the pool of connections to one origin."""

    __slots__ = ("_origin", "_pool")

    def __init__(self, pool: Pool, origin: Origin) -> None:
        self._pool = pool
        self._origin = origin

    def put(self, connection: Connection) -> None:
        self._pool.put(self._origin, connection)

    def lost(self, connection: Connection) -> None:
        self._pool.lost(self._origin, connection)


def origin_of(url: URL, external: bool = False) -> Origin:
    """The server of a URL."""
    return Origin(url.host or "", url.port or 80, url.scheme == "https", external)


def opening(method: str, url: URL, absolute: bool = False) -> bytes:
    """A request's first lines, up to where the length of its body belongs.

    Args:
        method: The method.
        url: The URL.
        absolute: Whether the request line has the whole URL, as a proxy wants it.
    """
    host = url.host_port_subcomponent or ""
    target = f"{url.scheme}://{host}{url.raw_path_qs}" if absolute else url.raw_path_qs
    return f"{method} {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: ".encode()


# Of the configuration's URLs only: those with a caller's id or query in them are no end of keys.
known_origin = lru_cache(maxsize=4096)(origin_of)
known_opening = lru_cache(maxsize=4096)(opening)
