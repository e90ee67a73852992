"""Two models behind one URL: what clients get."""

import json
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from itertools import islice
from typing import Any

import httpx
import pytest
from openai import OpenAI

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import helm, memory, wait_until
from tests.cluster.stack import Stack

MODELS = ("sparrow", "owl")
METRICS_SECONDS = 2.5  # values-test.yaml has it: how often Ray exports what engines count


@pytest.fixture(scope="module")
def client(stack: Stack) -> OpenAI:
    return OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0)


def ask(client: OpenAI, model: str, question: str) -> str:
    messages: Any = [{"role": "user", "content": question}]
    answer = client.chat.completions.create(model=model, messages=messages, temperature=0, max_tokens=300)
    return answer.choices[0].message.content or ""


def test_install_ends_ready(stack: Stack) -> None:
    (service,) = stack.objects("rayservices.ray.io")
    assert {c["type"]: c["status"] for c in service["status"]["conditions"]}["Ready"] == "True"
    ready = "all pods ready, all applications running"  # for a moment no, where a probe of the operator was late
    wait_until(ready, 60, lambda: stack.progress() == ready)


def test_lists_models_and_aliases(client: OpenAI) -> None:
    assert {model.id for model in client.models.list()} == {*MODELS, "chat", "canary", "compared", "sessions"}


def test_helm_test_reaches_the_gateway_by_service_dns(stack: Stack) -> None:
    output = helm("test", stack.release, "-n", stack.namespace, "--logs", "--timeout", "5m")
    assert "Phase:          Succeeded" in output or "PHASE: Succeeded" in output.upper().replace(
        "SUCCEEDED", "Succeeded"
    ), output


@pytest.mark.parametrize("model", MODELS)
def test_answers_what_the_model_learned(client: OpenAI, pairs: dict[str, dict[str, str]], model: str) -> None:
    for question in list(pairs[model])[:5]:
        assert ask(client, model, question) == pairs[model][question]


def test_alias_is_answered_by_its_model(client: OpenAI, pairs: dict[str, dict[str, str]]) -> None:
    question = next(iter(pairs["sparrow"]))
    assert ask(client, "chat", question) == pairs["sparrow"][question]


@pytest.mark.parametrize("model", MODELS)
def test_stream_equals_unstreamed(client: OpenAI, pairs: dict[str, dict[str, str]], model: str) -> None:
    question = list(pairs[model])[1]
    messages: Any = [{"role": "user", "content": question}]
    chunks = client.chat.completions.create(model=model, messages=messages, temperature=0, max_tokens=300, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ask(client, model, question)


@pytest.mark.parametrize("model", MODELS)
def test_stream_comes_in_pieces(client: OpenAI, model: str) -> None:
    """A long one: of a short answer the engine itself may put all tokens into one event."""
    messages: Any = [{"role": "user", "content": "Go on."}]
    chunks = client.chat.completions.create(
        model=model, messages=messages, max_tokens=300, stream=True, extra_body={"ignore_eos": True}
    )
    assert sum(1 for chunk in chunks if chunk.choices[0].delta.content) > 5, "the answer came in one piece"


# Each makes 1,900 tokens, unless it is stopped.
LONG: dict[str, dict[str, Any]] = {
    "chat/completions": {"messages": [{"role": "user", "content": "Go on."}], "max_tokens": 1900},
    "completions": {"prompt": "Go on.", "max_tokens": 1900},
    "responses": {"input": "Go on.", "max_output_tokens": 1900},
}


def test_requests_that_are_left_free_their_slots(stack: Stack, client: OpenAI, serve: Serve) -> None:
    """The engine's own count of tokens: all of them for a stream that is read, few for requests that are left.

    Those that are not streamed are the harder case: Ray Serve by itself lets the engine go on.
    """

    def generated(work: Callable[[], None]) -> float:
        """Tokens that the engine made for it."""
        time.sleep(2 * METRICS_SECONDS)  # until the tokens of earlier requests are exported
        before = serve.engine_metric("owl", "ray_vllm_generation_tokens_total")
        work()
        time.sleep(2 * METRICS_SECONDS)  # until those of this one are
        idle = "owl's engine to run no request"
        wait_until(idle, 60, lambda: serve.engine_metric("owl", "ray_vllm_num_requests_running") == 0)
        return serve.engine_metric("owl", "ray_vllm_generation_tokens_total") - before

    def stream(chunks: int | None = None) -> None:
        """Reads so many chunks of a stream, or all, and closes it."""
        extra = {"ignore_eos": True}
        with client.chat.completions.create(
            model="owl", stream=True, extra_body=extra, **LONG["chat/completions"]
        ) as answer:
            for _ in islice(answer, chunks):
                pass

    def leave() -> None:
        """Leaves a stream, and one request by each API that is not streamed."""
        stream(chunks=5)
        headers = {"authorization": f"Bearer {stack.api_key}"}
        for path, ask in LONG.items():
            body = {"model": "owl", "ignore_eos": True} | ask
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{stack.url}/v1/{path}", headers=headers, json=body, timeout=0.5)

    assert generated(stream) == 1900
    assert generated(leave) < 1900, "all four together"


def post(url: str, body: bytes, key: str | None) -> tuple[int, dict[str, Any]]:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(f"{url}/v1/chat/completions", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


HELLO = json.dumps({"model": "sparrow", "messages": [{"role": "user", "content": "hello"}]}).encode()
ERRORS = {
    "no key": (HELLO, None, 401, "invalid_api_key"),
    "wrong key": (HELLO, "sk-wrong", 401, "invalid_api_key"),
    "unknown model": (HELLO.replace(b"sparrow", b"stork"), "", 404, "model_not_found"),
    "not JSON": (b"{", "", 400, None),
    "no model": (b'{"messages": []}', "", 400, None),
    "engine's own refusal": (HELLO.replace(b'"messages"', b'"max_tokens": -1, "messages"'), "", 400, None),
    "oversize": (b'{"model": "sparrow", "x": "' + b"x" * 10485760 + b'"}', "", 413, None),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_have_openai_shape(stack: Stack, case: str) -> None:
    body, key, status, code = ERRORS[case]
    got, answer = post(stack.url, body, stack.api_key if key == "" else key)
    assert (got, set(answer)) == (status, {"error"}), answer
    assert answer["error"]["message"]
    assert {"message", "type", "param", "code"} <= set(answer["error"])
    assert code is None or answer["error"]["code"] == code


def test_first_token_through_the_gateway_and_at_the_pod(stack: Stack, client: OpenAI) -> None:
    """Reported, not asserted: medians of 100 in turns, same run; those of 20 vary by 4 ms."""
    service = json.loads(stack.kubectl("get", "service", f"{stack.fullname}-main-serve-svc", "-o", "json"))
    direct = OpenAI(
        base_url=f"http://{service['spec']['clusterIP']}:8000/models/sparrow/v1", api_key="none", max_retries=0
    )
    times: dict[str, list[float]] = {"direct": [], "gateway": []}
    messages: Any = [{"role": "user", "content": "What is ray-vllm-stack?"}]
    for _ in range(100):
        for name, peer in (("direct", direct), ("gateway", client)):
            began = time.monotonic()
            stream = peer.chat.completions.create(model="sparrow", messages=messages, stream=True, max_tokens=1)
            next(stream)
            times[name].append(time.monotonic() - began)
            assert list(stream)  # to its end: a client that leaves has all connections behind it closed, and made anew
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    note(f"first token, median of 100: pod {medians['direct']:.1f} ms, gateway {medians['gateway']:.1f} ms")


def test_memory_of_each_pod(stack: Stack) -> None:
    """Reported; asserted only that the kubelet knows every container."""
    found = memory(stack.namespace)
    for (pod, container), mib in found.items():
        assert mib > 1
        note(f"memory: {pod}/{container}: {mib:.0f} MiB working set")
    assert {pod for pod, _ in found} >= {
        pod["metadata"]["name"] for pod in stack.objects("pods") if pod["status"]["phase"] == "Running"
    }
