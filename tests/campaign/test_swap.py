"""A new Ray cluster beside the old one, under load."""

import pytest

from tests.cluster.conftest import Serve
from tests.cluster.foretold import foretold
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_edits import REBUILD, approval, ray_cluster

SHORT, LONG = {"sparrow": 4.0, "owl": 4.0}, {"sparrow": 0.5, "owl": 0.5}
REQUESTS, STREAMS, TOKENS = 2000, 300, 600


def test_a_rebuild_that_is_approved_passes_under_load(stack: Stack, serve: Serve) -> None:
    """At least so many requests, and streams that are long enough to be met by the swap."""
    cluster = ray_cluster(stack)
    with pytest.raises(RuntimeError) as stopped:
        stack.edit(*REBUILD)
    edit = (*REBUILD, "--set", f"safeChange.approve={approval(str(stopped.value))}")
    place = (stack.url, stack.api_key)
    with (
        foretold(stack, serve, *edit) as said,
        Load("cluster rebuilt", *place, SHORT, 1600) as load,
        Load(f"cluster rebuilt, streams of {TOKENS} tokens", *place, LONG, 1600, tokens=TOKENS) as streams,
    ):
        stack.edit(*edit)
        wait_until("the new cluster alone", 1000, lambda: ray_cluster(stack) != cluster)
        stack.wait_for_models()
        wait_until("enough requests", 600, lambda: sent(load) >= REQUESTS and sent(streams) >= STREAMS)
    assert said["cluster main"] == "new-cluster"
    assert failed(load) + failed(streams) == []


def sent(load: Load) -> int:
    """Requests of all models."""
    return sum(outcome.sent for outcome in load.outcomes.values())


def failed(load: Load) -> list[str]:
    """What went wrong, of all models."""
    return [line for outcome in load.outcomes.values() for line in outcome.failed]
