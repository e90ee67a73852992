"""How the process ends: without a client noticing, as long as its answers take no longer than the limit."""

import asyncio
import ctypes
import gc
import logging
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from serve_app.gateway.http.idle_connections import IdleConnections
from serve_app.gateway.http.protocol import Protocol

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s of common load balancers, which otherwise reuse a connection just as it is closed here."""


_COLLECT_AFTER = 50_000
"""New objects; Python's own 700 are there as soon as a few requests are, and none of theirs is garbage."""


_M_MMAP_THRESHOLD = -3
"""Of mallopt(3)."""
_MAPPED_FROM = 64 * 1024
"""Bytes; larger blocks are given back to the system as soon as they are freed."""


def settle() -> None:
    """To be called once all is loaded: no search for garbage looks at that again, and each comes after more requests.

    It takes a tenth of a request's CPU time otherwise, and with many open streams each search is a pause for all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 100)
    # Pieces of large bodies would stay in glibc's heap, which else raises this threshold with each that is freed.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM)


class Drain:
    """Whether the end has begun."""

    def __init__(self, begun: Callable[[], None] = lambda: None) -> None:
        self._begun = begun
        self._draining = False

    def __call__(self) -> bool:
        """Whether the process is about to end."""
        return self._draining

    def begin(self) -> None:
        """Begins the end."""
        self._draining = True
        self._begun()


class Server(uvicorn.Server):
    """A server that goes on for a while when it is told to stop.

    On SIGTERM /readyz fails at once, while requests are still served for `delay_seconds`: so long the Service's
    endpoints may still send some. Then the socket is closed, and answers get `drain_seconds` to come to their end. A
    second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain, delay_seconds: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._delay_seconds = delay_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Notes the loop, which a signal's handler cannot find by itself."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes a signal. Unlike uvicorn's own, the process ends with status 0 after it."""
        if self._drain() or self._loop is None:
            self.should_exit = self.force_exit = True
            return
        self._drain.begin()
        self._loop.call_soon_threadsafe(self._stop_later)

    def _stop_later(self) -> None:
        logger.info("stopping: not ready any more, closing in %g s", self._delay_seconds)
        asyncio.get_running_loop().call_later(self._delay_seconds, setattr, self, "should_exit", True)


def server(
    app: ASGIApp, *, host: str, port: int, drain: Drain, delay_seconds: float = 5, drain_seconds: int = 120
) -> Server:
    """The HTTP server of the gateway.

    Args:
        app: What answers.
        host: Address to listen on.
        port: Port to listen on; 0 for a free one.
        drain: Told when the end begins.
        delay_seconds: How long new requests are still taken after the signal to stop.
        drain_seconds: How long answers may take after that.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=cast("type[asyncio.Protocol]", partial(Protocol, idle=IdleConnections())),
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=drain_seconds,
    )
    return Server(config, drain, delay_seconds)
