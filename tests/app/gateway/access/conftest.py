from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .limit_support import FakeServer, RealServer, Server, needs_a_server


@pytest.fixture(params=["fake", pytest.param("real", marks=needs_a_server)])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    server = FakeServer() if request.param == "fake" else RealServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def desk(provider: IdentityProvider, session: aiohttp.ClientSession) -> Desk:
    return Desk(provider, session)
