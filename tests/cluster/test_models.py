"""Models of many kinds on one cluster: an adapter that comes and goes, and models that sleep."""

import json
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from openai import NotFoundError, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import memory, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_edits import listed, ray_cluster, ray_pods
from tests.models.voices import ANSWERS

RATES = {"sparrow": 0.5, "owl": 0.5}
ADAPTER = "sparrow-in-verse"
HEAD_MIB = 4096
WAITING = ": waiting for the model"


def test_an_adapter_comes_and_goes_without_a_roll(stack: Stack, serve: Serve) -> None:
    """Its first request loads it; where it has gone, nobody gets another's answer in its place."""
    before, pods = serve.replicas(*RATES), ray_pods(stack)
    client = OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0)

    def says(ask: str) -> str | None:
        messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": ask}]
        answer = client.chat.completions.create(model=ADAPTER, messages=messages, temperature=0)
        return answer.choices[0].message.content

    stack.edit("--set", f"models.sparrow.adapters.{ADAPTER}.source=pvc://demo-models/{ADAPTER}")
    wait_until("the gateways to list the adapter", 120, lambda: listed(stack, ADAPTER))
    wait_until("the replica to know it", 60, lambda: known(client))
    assert {ask: says(ask) for ask in ANSWERS} == ANSWERS
    cards = {card.id: card for card in client.models.list()}
    assert cards[ADAPTER].model_dump()["parent"] == "sparrow"
    assert (serve.replicas(*RATES), ray_pods(stack)) == (before, pods)

    stack.remove(f"models.sparrow.adapters.{ADAPTER}")
    wait_until("the gateways to forget it", 120, lambda: not listed(stack, ADAPTER))
    with pytest.raises(NotFoundError):
        says("Hello")
    assert (serve.replicas(*RATES), ray_pods(stack)) == (before, pods)


def known(client: OpenAI) -> bool:
    """Whether the replica finds the adapter; it and the gateway learn of it apart from each other."""
    try:
        client.completions.create(model=ADAPTER, prompt="x", max_tokens=1)
    except NotFoundError:
        return False
    return True


def test_sleeping_models_cost_little(stack: Stack, serve: Serve, tmp_path: Path) -> None:
    """A sample of tests/campaign/test_many_models.py."""
    sleepers(stack, serve, tmp_path / "values.yaml", 8)


def sleepers(stack: Stack, serve: Serve, values: Path, count: int) -> None:
    """Adds models that sleep, wakes one and removes them again.

    The head keeps within its memory, the others lose no request, and the first request of a sleeping model is held.
    """
    names = [f"sleeper-{number:02}" for number in range(count)]
    before, cluster = serve.replicas(*RATES), ray_cluster(stack)
    entry = {"source": "pvc://demo-models/owl", "accelerator": "cpu", "replicas": {"min": 0}}
    values.write_text(yaml.safe_dump({"models": dict.fromkeys(names, entry)}))
    first = most = head_memory(stack)
    began = time.monotonic()
    with Load(f"{count} sleeping models added", stack.url, stack.api_key, RATES) as load:
        stack.edit("-f", str(values), "--set", "gateway.keepAlive.afterSeconds=2,gateway.keepAlive.everySeconds=2")
        while not_running := missing(serve, names):
            most = max(most, head_memory(stack))
            assert time.monotonic() - began < 400, not_running
            time.sleep(2)
    seconds = time.monotonic() - began
    note(f"{count} sleeping models: added in {seconds:.0f} s, head {first:.0f} MiB before, {most:.0f} at most")
    assert most < HEAD_MIB
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {model: [] for model in RATES}
    assert (serve.replicas(*RATES), ray_cluster(stack)) == (before, cluster)

    wait_until("the gateways to list them", 120, lambda: listed(stack, names[-1]))
    woken(stack, names[count // 2])
    stack.remove(*(f"models.{name}" for name in names))
    wait_until("them to be gone", 300, lambda: not set(names) & set(serve.applications()), pause=2)


def missing(serve: Serve, names: list[str]) -> dict[str, str]:
    """What those of the models do that do not run."""
    states = {name: str(app["status"]) for name, app in serve.applications().items()}
    return {name: states.get(name, "not there") for name in names if states.get(name) != "RUNNING"}


def head_memory(stack: Stack) -> float:
    """Working set of the Ray head's container, in MiB."""
    return max(mib for (_, container), mib in memory(stack.namespace).items() if container == "ray-head")


def woken(stack: Stack, model: str) -> None:
    """The first request is held from no replica on; its stream has comments before it has tokens."""
    body = json.dumps({"model": model, "stream": True, "max_tokens": 4, "messages": [{"role": "user", "content": "x"}]})
    began = time.monotonic()
    command = ["curl", "-sfN", "-m", "300", "-H", f"authorization: Bearer {stack.api_key}", "-d", body]
    command += ["-H", "content-type: application/json", f"{stack.url}/v1/chat/completions"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    note(f"asleep to last token: {time.monotonic() - began:.0f} s, {lines.count(WAITING)} comments before the first")
    assert lines[0] == WAITING
    assert lines[-2:] == ["data: [DONE]", ""]
