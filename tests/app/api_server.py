"""A small API server on the loopback, for what talks to one from within a pod."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web


@asynccontextmanager
async def api_session(
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]], **headers: str
) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with it, in which paths are enough; it sends these headers."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}", headers=headers) as session:
        yield session
    await runner.cleanup()
