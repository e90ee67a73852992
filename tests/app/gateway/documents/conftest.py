"""A gateway with a data component that is a fake, and the tokens between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ..support import FakeModel, Gateway, answer, config_for, running_gateway

COMPONENT, PIPELINES = "token-of-the-component", "token-of-pipelines"
TEAMS = {"search": {"requestsPerMinute": 1000, "priority": "high"}, "ads": {"models": ["b"]}}
EMBEDDINGS = "/v1/embeddings"


@pytest.fixture
async def component() -> AsyncIterator[FakeModel]:
    async with FakeModel(script=[answer(201, b'{"id":"file-1"}')]).running() as fake:
        yield fake


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    folder = tmp_path / "data-tokens"
    folder.mkdir()
    (folder / "component-token").write_text(f"{COMPONENT}\n")
    (folder / "gateway-token").write_text(f"{PIPELINES}\n")
    return folder


@pytest.fixture
async def gateway(model: FakeModel, component: FakeModel, tokens: Path, tmp_path: Path) -> AsyncIterator[Gateway]:
    data = {"url": component.url.removesuffix("/models/a"), "maxFileBytes": 300_000}
    config = config_for(model.url, teams=TEAMS, data=data)
    config["models"]["a"]["task"] = config["models"]["b"]["task"] = "embed"
    del config["routes"]
    async with running_gateway(tmp_path, config, policy={"team": "search"}, data_tokens=tokens) as running:
        yield running
