"""Batches at full length: a kill of each part in turn, what others notice, a job over 5,000 rows, and what it costs."""

import asyncio
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from openai import AsyncOpenAI, OpenAI
from openai.types import Batch

from tests.campaign.test_dead_engine import WORKERS, kill_engine
from tests.cluster import batches
from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import kill, wait_until
from tests.cluster.stack import Stack
from tests.cluster.test_gateway import metric, reloaded

MODEL, OTHERS = "sparrow", "owl"
LINES, ROWS = 2000, 5000
PARTS = {"data": "data", "gateway": "gateway", "redis": "redis"}
JOB = {
    "model": MODEL,
    "input": "pvc://batch-files/in",
    "output": "pvc://batch-files/out",
    "column": "text",
    "sampling": {"max_tokens": 4, "temperature": 0},
    "partitionRows": 250,
    "workers": {"min": 1, "max": 1},
}
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: batch-files}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
FILL = """
import json, pathlib
folder = pathlib.Path("/mnt/jobs/batch-files/in")
folder.mkdir(parents=True, exist_ok=True)
for number in range(5):
    rows = (json.dumps({"id": number * 1000 + row, "text": f"Question {row}"}) for row in range(1000))
    (folder / f"{number}.jsonl").write_text("\\n".join(rows))
"""
READ = """
import json, pathlib
out = pathlib.Path("/mnt/jobs/batch-files/out")
files = sorted(out.rglob("part-*.jsonl"))
rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
print(json.dumps({"ids": [row["id"] for row in rows], "failed": [row for row in rows if row["error"]][:5]}))
"""


@pytest.fixture(scope="module")
def client(stack: Stack) -> OpenAI:
    return batches.client_of(stack)


def reached(client: OpenAI, batch: Batch, lines: int) -> bool:
    return batches.done(client, batch) >= lines


def killed(stack: Stack, part: str) -> None:
    """Kills one pod of a part, as a machine that fails does."""
    if part == "replica":
        kill_engine(stack, stack.objects("pods", WORKERS)[0]["metadata"]["name"])
        return
    kill(stack.objects("pods", f"app.kubernetes.io/component={PARTS[part]}")[0])


def test_two_thousand_lines_with_a_kill_of_each_part(stack: Stack, serve: Serve, client: OpenAI) -> None:
    first = batches.FirstTokens(client, OTHERS)
    before = first.measured(40)
    batch = batches.begun(client, LINES, MODEL)
    for number, part in enumerate(("data", "gateway", "redis", "replica"), 1):
        wanted = LINES * number // 6
        wait_until(f"{wanted} lines", 900, partial(reached, client, batch, wanted), pause=2)
        killed(stack, part)
        note(f"batch: {part} killed at {batches.done(client, batch)} of {LINES} lines")
    batch = batches.ended(client, batch, 3600)
    batches.each_line_once(client, batch, LINES)
    middle, around = batches.spread(before)
    note(f"first token without a batch: median {middle * 1000:.0f} ms, spread {around * 1000:.0f} ms")


@pytest.mark.parametrize("percent", [1, 10])
def test_others_do_not_notice_a_batch(stack: Stack, client: OpenAI, percent: int) -> None:
    """Of the same model: what a batch leaves of it, and not what another process leaves of the machine.

    With the least share, which is one line for each gateway pod, and with the default, which stays for the next test.
    """
    before = metric(stack, "config_reloads_total", source="config", result="ok")
    stack.edit("--set", f"gateway.queue.backgroundPercent={percent}")
    wait_until("all gateway pods to know", 150, lambda: reloaded(stack, before), pause=2)
    first = batches.FirstTokens(client, MODEL)
    without = first.measured(60)
    batch = batches.begun(client, LINES, MODEL)
    wait_until("the batch to run", 120, lambda: batches.done(client, batch) > 20)
    first.measured(5)  # from here on it has its share only
    during = first.measured(60)
    still = batches.done(client, batch)
    client.batches.cancel(batch.id)
    assert 20 < still < LINES, "it ran all the time"
    (middle, around), (later, _) = batches.spread(without), batches.spread(during)
    note(
        f"first token, {percent} % for batches: {middle * 1000:.0f} ms without a batch (spread {around * 1000:.0f}), "
        f"{later * 1000:.0f} ms with"
    )
    assert later <= middle + around


def test_lines_per_second_beside_a_client_s(stack: Stack, client: OpenAI) -> None:
    count, at_once = 600, 32
    with batches.timed() as by_batch:
        batch = batches.ended(client, batches.begun(client, count, MODEL), 1800)
    batches.each_line_once(client, batch, count)

    async def direct() -> None:
        places = asyncio.Semaphore(at_once)
        async with AsyncOpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, timeout=600) as asking:

            async def one(number: int) -> None:
                async with places:
                    body: Any = batches.body(number, MODEL, 4)
                    await asking.chat.completions.create(**body)

            await asyncio.gather(*(one(number) for number in range(count)))

    with batches.timed() as by_client:
        asyncio.run(direct())
    note(
        f"batch: {count / by_batch[0]:.1f} lines/s; the same lines by a client, {at_once} at once: "
        f"{count / by_client[0]:.1f} lines/s"
    )


@pytest.fixture
def job(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """A job over 5,000 rows, filled once its head is there; serving is as before."""
    stack.kubectl("apply", "-f", "-", input=CLAIM)
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"jobs": {"rows": {**JOB, "suspend": True}}}))
    stack.edit("--values", str(values))
    (found,) = stack.objects("rayjobs.ray.io", "ray-vllm-stack.io/job=rows")
    yield found["metadata"]["name"]
    stack.remove("jobs.rows")
    stack.kubectl("delete", "pvc", "batch-files", "--wait=false")


def test_a_job_over_five_thousand_rows_with_a_worker_killed(stack: Stack, serve: Serve, job: str) -> None:
    before = serve.replicas(MODEL, OTHERS)
    filler(stack, FILL)
    stack.kubectl("patch", "rayjob", job, "--type=merge", "-p", '{"spec":{"suspend":false}}')
    label = "ray-vllm-stack.io/cluster=job-rows,app.kubernetes.io/component="
    wait_until("its worker", 600, lambda: bool(stack.objects("pods", label + "ray-worker")), pause=2)
    wait_until("a quarter of its parts", 1200, lambda: parts_done(stack) >= 5, pause=2)
    kill(stack.objects("pods", label + "ray-worker")[0])
    began = time.monotonic()
    wait_until("its end", 3600, lambda: status(stack, job) in ("SUCCEEDED", "FAILED"), pause=5)
    assert status(stack, job) == "SUCCEEDED"
    written = json.loads(filler(stack, READ))
    assert written == {"ids": list(range(ROWS)), "failed": []}
    assert serve.replicas(MODEL, OTHERS) == before
    note(f"job: {ROWS} rows, {time.monotonic() - began:.0f} s from the kill of its worker to its end")


def status(stack: Stack, job: str) -> str:
    found = json.loads(stack.kubectl("get", "rayjob", job, "-o", "json"))
    return str(found.get("status", {}).get("jobStatus", ""))


def parts_done(stack: Stack) -> int:
    """As its progress file says."""
    text = filler(stack, "import pathlib\nprint(pathlib.Path('/mnt/jobs/batch-files/out/_progress.json').read_text())")
    return int(json.loads(text)["parts_done"])


def filler(stack: Stack, program: str) -> str:
    """Runs a program in a pod that has the claim: the job's head, or where there is none a pod of the serve image."""
    heads = stack.objects("pods", "ray-vllm-stack.io/cluster=job-rows,app.kubernetes.io/component=ray-head")
    if heads and heads[0]["status"]["phase"] == "Running":
        return stack.kubectl("exec", heads[0]["metadata"]["name"], "-c", "ray-head", "--", "python", "-c", program)
    closed = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "batch-files"},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "main",
                    "image": stack.images["serve-cpu"],
                    "command": ["python", "-c", program],
                    "securityContext": closed,
                    "volumeMounts": [{"name": "files", "mountPath": "/mnt/jobs/batch-files"}],
                }
            ],
            "volumes": [{"name": "files", "persistentVolumeClaim": {"claimName": "batch-files"}}],
        },
    }
    stack.kubectl("delete", "pod", "batch-files", "--ignore-not-found", "--wait")
    stack.kubectl("apply", "-f", "-", input=json.dumps(pod))
    stack.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/batch-files", "--timeout=120s")
    said = stack.kubectl("logs", "batch-files")
    stack.kubectl("delete", "pod", "batch-files", "--wait")
    return said
