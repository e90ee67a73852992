"""The gateway's three pods as one: weights, stickiness, keys, limits, and what their loss costs."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.cluster.figures import note
from tests.cluster.kube import container, kill, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import ROOT, Stack

RATES = {"sparrow": 2.0, "owl": 2.0}
GATEWAY = "app.kubernetes.io/component=gateway"


def pods(stack: Stack, selector: str = GATEWAY) -> list[dict[str, Any]]:
    """The running pods of a component."""
    return [
        pod
        for pod in stack.objects("pods", selector)
        if not pod["metadata"].get("deletionTimestamp")
        and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    ]


def urls(stack: Stack) -> list[str]:
    return [f"http://{pod['status']['podIP']}:8080" for pod in pods(stack)]


async def answers(
    urls: list[str], key: str, model: str, count: int, headers: dict[str, str] | None = None, concurrency: int = 16
) -> Counter[str | int]:
    """Asks so often, in turns at each URL; counts the answering model, or the status of a refusal."""
    found: Counter[str | int] = Counter()
    gate = asyncio.Semaphore(concurrency)
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}

    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"} | (headers or {})) as session:

        async def ask(url: str) -> None:
            async with gate, session.post(f"{url}/v1/chat/completions", json=body) as response:
                content = await response.json()
                found[content["model"] if response.status == 200 else response.status] += 1

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(ask(urls[number % len(urls)]))
    return found


def metric(stack: Stack, name: str, **labels: str) -> list[float]:
    """A series of every gateway pod; labels that are not named are summed over."""
    values = []
    for pod in pods(stack):
        text = subprocess.run(
            ["curl", "-sf", "-m", "10", f"http://{pod['status']['podIP']}:9090/metrics"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == f"ray_vllm_gateway_{name}"]
        values.append(sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(label in line for label in wanted)))
    return values


def reloaded(stack: Stack, before: list[float]) -> bool:
    """Whether every gateway pod has read its configuration since `config_reloads_total` was this."""
    now = metric(stack, "config_reloads_total", source="config", result="ok")
    return all(new > old for new, old in zip(now, before, strict=True))


def keys(stack: Stack, *words: str) -> str:
    """The command that makes, lists and revokes keys."""
    secret = ["--secret", f"{stack.fullname}-issued-keys", "--namespace", stack.namespace]
    command = [sys.executable, "-m", "serve_app.keys", words[0], *secret, *words[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def status(url: str, key: str) -> int:
    """What a key gets at one pod."""
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"authorization: Bearer {key}"]
    return int(subprocess.run([*command, f"{url}/v1/models"], capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module", autouse=True)
def three_pods(stack: Stack) -> None:
    wait_until("three gateway pods", 120, lambda: len(pods(stack)) == 3)


@pytest.fixture
def issued(stack: Stack) -> Iterator[str]:
    """A key of five requests a minute, made as a platform engineer would."""
    began = time.monotonic()
    key = keys(stack, "make", "five-a-minute", "--requests-per-minute", "5")
    wait_until("all pods to know the new key", 150, lambda: all(status(url, key) == 200 for url in urls(stack)))
    note(f"key made: all gateway pods knew it after {time.monotonic() - began:.1f} s")
    yield key
    keys(stack, "revoke", "five-a-minute")


def weights(stack: Stack, **weight: int) -> None:
    """Gives the route `canary` these weights, and waits until every pod has read them."""
    before = metric(stack, "config_reloads_total", source="config", result="ok")
    route = {"backends": {model: {"weight": share} for model, share in weight.items()}}
    stack.edit("--set-json", f"routes.canary={json.dumps(route)}")
    wait_until(
        "all pods to read the weights",
        150,
        lambda: all(
            now > then
            for now, then in zip(
                metric(stack, "config_reloads_total", source="config", result="ok"), before, strict=True
            )
        ),
    )


def test_canary_gets_its_share(stack: Stack) -> None:
    """1,000 requests at values-test.yaml's 90/10, within four standard deviations: sqrt(1000 * 0.9 * 0.1) = 9.5."""
    began = time.monotonic()
    found = asyncio.run(answers(urls(stack), stack.api_key, "canary", 1000))
    note(f"canary 90/10: {dict(found)} of 1,000 in {time.monotonic() - began:.0f} s")
    assert set(found) == {"sparrow", "owl"}
    assert 62 <= found["owl"] <= 138


def test_weights_edited_under_load_fail_nothing(stack: Stack) -> None:
    with Load("weights edited", stack.url, stack.api_key, {"canary": 4.0}) as load:
        weights(stack, sparrow=0, owl=100)
        assert set(asyncio.run(answers(urls(stack), stack.api_key, "canary", 30))) == {"owl"}
    assert load.outcomes["canary"].failed == []


def test_sticky_clients_meet_one_model_at_every_pod(stack: Stack) -> None:
    met: Counter[str | int] = Counter()
    for session in range(12):
        name = {"x-session-id": f"session-{session}"}
        found = asyncio.run(answers(urls(stack), stack.api_key, "sessions", 6, name))
        assert len(found) == 1, f"session {session} met {dict(found)}"
        met.update(list(found))
    assert set(met) == {"sparrow", "owl"}


def test_limit_counts_over_all_pods(stack: Stack, issued: str) -> None:
    assert metric(stack, "limits_shared") == [1, 1, 1]
    found = asyncio.run(answers(urls(stack), issued, "sparrow", 12, concurrency=1))
    assert found == {"sparrow": 5, 429: 7}


def test_revoked_key_is_refused_within_seconds(stack: Stack) -> None:
    key = keys(stack, "make", "short-lived")
    wait_until("all pods to know the new key", 150, lambda: all(status(url, key) == 200 for url in urls(stack)))
    assert "short-lived" in keys(stack, "list")
    began = time.monotonic()
    keys(stack, "revoke", "short-lived")
    wait_until("all pods to refuse it", 150, lambda: all(status(url, key) == 401 for url in urls(stack)))
    note(f"key revoked: all gateway pods refused it after {time.monotonic() - began:.1f} s")


def test_killed_pod_costs_its_streams_only(stack: Stack) -> None:
    """As its clients see it: with the retries that OpenAI's client makes by itself, before a stream has begun."""
    victim = pods(stack)[0]
    question = {"model": "owl", "stream": True, "max_tokens": 1900, "ignore_eos": True}
    body = json.dumps(question | {"messages": [{"role": "user", "content": "Go on."}]})
    command = ["curl", "-sN", "-m", "120", "-H", f"authorization: Bearer {stack.api_key}", "-d", body]
    command += ["-H", "content-type: application/json", f"http://{victim['status']['podIP']}:8080/v1/chat/completions"]
    with Load("gateway pod killed", stack.url, stack.api_key, {"sparrow": 6.0}, max_retries=2) as load:
        streams = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
        assert [first_line(stream) for stream in streams] == [b"data: "] * 3
        kill(victim)
        killed = time.monotonic()
        broken = sum(b"[DONE]" not in stream.communicate()[0] for stream in streams)
        wait_until(
            "the pod to be back",
            120,
            lambda: len(now := pods(stack)) == 3 and container(victim) not in map(container, now),
        )
        ready = time.monotonic() - killed
        note(f"gateway pod killed: {broken} of 3 streams on it broke, the pod was back in {ready:.1f} s")
    assert broken == 3
    assert len(load.outcomes["sparrow"].failed) <= 3, "only what had begun on that pod may fail"


def first_line(stream: subprocess.Popen[bytes]) -> bytes:
    """The first line but for comments, which the gateway sends while the engine takes its time; of data, the field."""
    assert stream.stdout
    line = next((line for line in stream.stdout if line.strip() and not line.startswith(b":")), b"")
    return line[:6] if line.startswith(b"data: ") else line


def test_rolled_gateway_fails_nothing(stack: Stack) -> None:
    before = {pod["metadata"]["uid"] for pod in pods(stack)}
    with Load("gateway rolled", stack.url, stack.api_key, RATES) as load:
        stack.kubectl("rollout", "restart", f"deployment/{stack.fullname}-gateway")
        stack.kubectl("rollout", "status", f"deployment/{stack.fullname}-gateway", "--timeout=180s")
        wait_until("only new pods", 60, lambda: not before & {pod["metadata"]["uid"] for pod in pods(stack)})
    assert [outcome.failed for outcome in load.outcomes.values()] == [[], []]
