"""A new Ray cluster beside the old one, under load."""

import pytest

from tests.cluster.conftest import Serve
from tests.cluster.foretold import foretold
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_edits import RATES, REBUILD, approval, ray_cluster


def test_a_rebuild_that_is_approved_passes_under_load(stack: Stack, serve: Serve) -> None:
    cluster = ray_cluster(stack)
    with pytest.raises(RuntimeError) as stopped:
        stack.edit(*REBUILD)
    edit = (*REBUILD, "--set", f"safeChange.approve={approval(str(stopped.value))}")
    with foretold(stack, serve, *edit) as said, Load("cluster rebuilt", stack.url, stack.api_key, RATES) as load:
        stack.edit(*edit)
        wait_until("the new cluster alone", 1000, lambda: ray_cluster(stack) != cluster)
        stack.wait_for_models()
    assert said["cluster main"] == "new-cluster"
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
