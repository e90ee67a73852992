"""50 models on one cluster, of which 48 sleep."""

from pathlib import Path

from tests.cluster.conftest import Serve
from tests.cluster.stack import Stack
from tests.cluster.test_models import sleepers


def test_forty_eight_sleeping_models_cost_little(stack: Stack, serve: Serve, tmp_path: Path) -> None:
    sleepers(stack, serve, tmp_path / "values.yaml", 48)
