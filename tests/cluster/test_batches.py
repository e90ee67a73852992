"""A batch whose pod is killed in the middle, while others ask: each line is answered once."""

from tests.cluster import batches
from tests.cluster.figures import note
from tests.cluster.kube import kill, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack

LINES = 200
MODEL = "sparrow"


def test_a_killed_data_pod_loses_and_doubles_no_line(stack: Stack) -> None:
    client = batches.client_of(stack)
    with Load("batch with its pod killed", stack.url, stack.api_key, {MODEL: 1.0}) as load, batches.timed() as seconds:
        batch = batches.begun(client, LINES, MODEL)
        wait_until("a part of the batch to be answered", 120, lambda: batches.done(client, batch) >= LINES // 10)
        (pod,) = stack.objects("pods", "app.kubernetes.io/component=data")
        kill(pod)
        before = batches.done(client, batch)
        batch = batches.ended(client, batch, 300)
    batches.each_line_once(client, batch, LINES)
    assert before < LINES, "it was killed before the end"
    assert load.outcomes[MODEL].failed == []
    note(f"batch: {LINES} lines with the data pod killed in {seconds[0]:.0f} s")
