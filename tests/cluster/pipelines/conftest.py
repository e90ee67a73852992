"""A RAG pipeline with its embedding model and store, and two agents with an MCP server, all in one upgrade."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openai import OpenAI

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.stack import Stack
from tests.cluster.test_edits import listed, ray_cluster

HERE = Path(__file__).parent
RATES = ("sparrow", "owl")
AGENT: dict[str, Any] = {
    "kind": "agent",
    "generate": "owl",
    "tools": {"mcp": {"weather": {"url": "http://tools.e2e.svc:8000/mcp"}}},
    "replicas": {"max": 1},
}
VALUES: dict[str, dict[str, Any]] = {
    "data": {"embed": "minilm"},
    "vectorStores": {"handbook": {"writers": ["default"], "chunk": {"maxTokens": 200, "overlapTokens": 40}}},
    "models": {
        "minilm": {
            "task": "embed",
            "source": "pvc://demo-models/minilm",
            "accelerator": "cpu",
            "engine": {"max_model_len": 256},
        }
    },
    "pipelines": {
        "handbook-chat": {"store": "handbook", "generate": "sparrow", "keep": 2, "contextCharacters": 1500},
        "forecaster": {**AGENT, "instructions": "What is the gateway"},
        "hasty": {**AGENT, "limits": {"steps": 1}, "conversations": {"max": 0}},
    },
}
ADDED = [*VALUES["models"], *VALUES["pipelines"]]


@pytest.fixture(scope="package")
def client(stack: Stack) -> OpenAI:
    """OpenAI's client, which does not hide a failure behind a retry."""
    return OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0, timeout=120)


class Tools:
    """The MCP server's own word."""

    def __init__(self, address: str) -> None:
        """Ask the server at this address."""
        self._url = f"http://{address}:8000"

    def behave(self, mode: str) -> None:
        """`fails`, `waits`, or the answer."""
        with urllib.request.urlopen(f"{self._url}/mode", mode.encode(), timeout=10):
            pass

    def calls(self) -> dict[str, int]:
        """How many have begun and ended."""
        with urllib.request.urlopen(f"{self._url}/calls", timeout=10) as answer:
            found: dict[str, int] = json.load(answer)
        return found


@pytest.fixture(scope="package")
def tools(stack: Stack) -> Iterator[Tools]:
    """The MCP server's pod."""
    program = {"mcp_server.py": (HERE / "mcp_server.py").read_text()}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tools"}, "data": program}
    stack.kubectl("apply", "-f", "-", input=json.dumps(config))
    manifest = (HERE / "tools.yaml").read_text().replace("@IMAGE@", stack.images["serve-cpu"])
    stack.kubectl("apply", "-f", "-", input=manifest)
    stack.kubectl("wait", "--for=condition=Ready", "pod/tools", "--timeout=120s")
    yield Tools(json.loads(stack.kubectl("get", "pod", "tools", "-o", "json"))["status"]["podIP"])
    stack.kubectl("delete", "pod/tools", "service/tools", "configmap/tools", "--wait")


@pytest.fixture(scope="package", autouse=True)
def added(stack: Stack, serve: Serve, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All of `VALUES` beside what is there, which keeps its pods and replicas."""
    before, cluster = serve.replicas(*RATES), ray_cluster(stack)
    values = tmp_path_factory.mktemp("pipelines") / "values.yaml"
    values.write_text(yaml.safe_dump(VALUES))
    began = time.monotonic()
    stack.edit("--values", str(values))
    wait_until("model and pipelines", 400, lambda: all(serve.runs(name) for name in ADDED), pause=1)
    wait_until("the gateways to list them", 120, lambda: all(listed(stack, name) for name in VALUES["pipelines"]))
    note(f"pipelines: a model, a RAG pipeline and two agents are there after {time.monotonic() - began:.0f} s")
    assert (serve.replicas(*RATES), ray_cluster(stack)) == (before, cluster)
    yield
    paths = (f"{kind}.{name}" for kind in ("models", "pipelines", "vectorStores") for name in VALUES[kind])
    stack.remove(*paths, "data.embed")
    wait_until("all to be gone", 300, lambda: not set(ADDED) & set(serve.applications()), pause=1)
    assert (serve.replicas(*RATES), ray_cluster(stack)) == (before, cluster)
