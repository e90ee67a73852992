from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from .identity_provider import IdentityProvider
from .limit_support import FakeServer, RealServer, Server, needs_a_server
from .token_support import TokenChecks


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider().running() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def checks(provider: IdentityProvider, session: aiohttp.ClientSession) -> TokenChecks:
    return TokenChecks(provider, session)


@pytest.fixture(params=["fake", pytest.param("real", marks=needs_a_server)])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    server = FakeServer() if request.param == "fake" else RealServer(tmp_path)
    await server.start()
    yield server
    await server.stop()
