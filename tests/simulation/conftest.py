"""The simulation is brought up once for all its tests."""

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import pytest_terminal_summary
from tests.simulation.control_plane import Dry, control_plane

__all__ = ["dry", "pytest_terminal_summary", "simulation"]


@pytest.fixture(scope="session", autouse=True)
def simulation() -> Iterator[None]:
    """Control plane, Karpenter, KubeRay's operator and kwok."""
    with control_plane():
        yield


@pytest.fixture
def dry() -> Iterator[Dry]:
    """A market that runs dry for one test."""
    market = Dry()
    yield market
    market.end()
