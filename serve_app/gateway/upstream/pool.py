"""The connections to models: made, kept while idle, used again."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from serve_app.gateway.exchange.endpoints import Origin
from serve_app.gateway.upstream.connection import Connection
from serve_app.gateway.upstream.egress_proxy import EgressProxy, egress_proxy, tunnel

IDLE_SECONDS = 30


class Pool:
    """Idle connections by origin; as many as there were requests at a time."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[Connection]] = {}
        self._look_ups: dict[Origin, asyncio.Task[list[str]]] = {}
        self._loop = asyncio.get_running_loop()
        self._sweeping = self._loop.call_later(IDLE_SECONDS, self._sweep)
        self._tls: ssl.SSLContext | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["Pool"]:
        """A pool that closes its connections at the end."""
        pool = cls()
        try:
            yield pool
        finally:
            pool._close()

    async def connection(self, origin: Origin, *, fresh: bool, seconds: float) -> Connection:
        """A connection to use, given back with `Connection.release`.

        Args:
            origin: The server to connect to.
            fresh: Makes a new connection, with a new look-up of the name.
            seconds: How long making one may take.

        Raises:
            TimeoutError: It took longer.
            OSError: Nobody is there, or nobody who can be trusted.
        """
        idle = self._idle.get(origin) if not fresh else None
        while idle:
            connection = idle.pop()  # the one used last, so that those beyond the need grow old
            if connection.is_open:
                return connection
        async with asyncio.timeout(seconds):
            return await self._connect(origin)

    async def _connect(self, origin: Origin) -> Connection:
        proxy = egress_proxy(origin.host, origin.port, tls=origin.tls) if origin.external else None
        if proxy is not None:
            return await self._connect_through(proxy, origin)
        context, name = (self._context(), origin.host) if origin.tls else (None, None)
        failure = OSError(f"{origin.host} has no address")
        for address in await self._addresses(origin):
            try:
                _, connection = await self._loop.create_connection(
                    lambda: self._connection(origin), address, origin.port, ssl=context, server_hostname=name
                )
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure

    async def _connect_through(self, proxy: EgressProxy, origin: Origin) -> Connection:
        if not origin.tls:
            _, connection = await self._loop.create_connection(
                lambda: self._connection(origin, proxy.header), proxy.host, proxy.port
            )
            return connection
        transport = await tunnel(proxy, origin.host, origin.port)
        connection = self._connection(origin)
        try:
            secured = await self._loop.start_tls(transport, connection, self._context(), server_hostname=origin.host)
        except BaseException:
            transport.abort()
            raise
        if secured is None:
            raise OSError(f"{origin.host} closed the connection")
        connection.connection_made(secured)
        return connection

    def _connection(self, origin: Origin, proxy_header: bytes | None = None) -> Connection:
        return Connection(partial(self._keep, origin), partial(self._forget, origin), proxy_header)

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
            done.exception()  # retrieved even if nobody waits for it any more

    async def _look_up(self, origin: Origin) -> list[str]:
        found = await self._loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in found]

    def _keep(self, origin: Origin, connection: Connection) -> None:
        connection.used_at = self._loop.time()
        self._idle.setdefault(origin, []).append(connection)

    def _forget(self, origin: Origin, connection: Connection) -> None:
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
