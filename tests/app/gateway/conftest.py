from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.background.supervisor import Supervisor

from .support import FakeModel, Gateway, config_for, running_gateway


@pytest.fixture
async def model() -> AsyncIterator[FakeModel]:
    async with FakeModel().running() as fake:
        yield fake


@pytest.fixture
async def gateway(model: FakeModel, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, config_for(model.url)) as running:
        yield running


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    async with Supervisor.running(CollectorRegistry()) as running:
        yield running
