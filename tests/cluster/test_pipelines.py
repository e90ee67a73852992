"""Questions on the project's own documents: taken in, found, answered with their sources, and forgotten."""

import os
import subprocess
import time
from collections.abc import Iterator

import openai
import pytest
import yaml
from openai import OpenAI
from openai.types.chat import ChatCompletionChunk

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.programs import ask_as_frameworks_do
from tests.cluster.stack import ROOT, Stack
from tests.cluster.test_edits import listed, ray_cluster, ray_pods

RATES = ("sparrow", "owl")
STORE = "vs_handbook"
VALUES = {
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
    "pipelines": {"handbook-chat": {"store": "handbook", "generate": "sparrow", "keep": 2, "contextCharacters": 1500}},
}
QUESTIONS = {  # the file, and words of the section that answers
    "Which adapters can come and go without restarting the model?": ("serving.md", "adapter"),
    "How do I split prefill and decode into replicas of their own?": ("serving.md", "prefill"),
    "When is plain vLLM without Ray enough?": ("runtimes.md", "standalone"),
    "How can HorizontalPodAutoscaler scale by requests with prometheus-adapter?": ("runtimes.md", "prometheus-adapter"),
    "How do I choose a TPU topology?": ("accelerators.md", "tpu"),
    "How is speculative decoding turned on?": ("cookbook.md", "speculative"),
    "What does Argo CD show as a difference after a sync?": ("argocd.md", "argo"),
    "What happens to an upgrade that would build a new Ray cluster without approval?": ("safe-change.md", "safechange"),
    "How are PDF files read and split into parts?": ("documents.md", "pdf"),
    "What do I do when the Ray head is down?": ("runbook.md", "head"),
}


@pytest.fixture(scope="module")
def client(stack: Stack) -> OpenAI:
    return OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0, timeout=120)


@pytest.fixture(scope="module", autouse=True)
def handbook(stack: Stack, serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An embedding model, a store and a pipeline beside what is there, which keeps its pods and replicas."""
    before, cluster = serve.replicas(*RATES), ray_cluster(stack)
    values = tmp_path_factory.mktemp("pipeline") / "values.yaml"
    values.write_text(yaml.safe_dump(VALUES))
    stack.edit("--values", str(values))
    names = ("minilm", "handbook-chat")
    wait_until("model and pipeline", 400, lambda: all(running(serve, name) for name in names), pause=2)
    wait_until("the gateways to list the pipeline", 120, lambda: listed(stack, "handbook-chat"))
    assert (serve.replicas(*RATES), ray_cluster(stack)) == (before, cluster)
    yield
    stack.remove("models.minilm", "pipelines.handbook-chat", "vectorStores.handbook", "data.embed")
    wait_until("both to be gone", 300, lambda: not set(names) & set(serve.applications()), pause=2)
    assert (serve.replicas(*RATES), ray_cluster(stack)) == (before, cluster)


def running(serve: Serve, name: str) -> bool:
    """Whether an application is; one that has failed is not waited for."""
    application = serve.applications().get(name, {})
    assert application.get("status") != "DEPLOY_FAILED", application["message"]
    return bool(application.get("status") == "RUNNING")


def ingest(stack: Stack) -> str:
    """What the command says that fills a store."""
    python = f"{os.environ['RAY_VLLM_STACK_CACHE']}/data-venv/bin/python"  # which has what the data image has
    command = [python, "-m", "serve_app.data", "ingest", "docs", "--store", "handbook", "--endings", ".md"]
    done = subprocess.run(
        [*command, "--url", f"{stack.url}/v1", "--prune"],
        cwd=ROOT,
        env={**os.environ, "OPENAI_API_KEY": stack.api_key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


def test_the_right_section_is_among_the_first_three(stack: Stack, client: OpenAI) -> None:
    began = time.monotonic()
    ingest(stack)
    first = time.monotonic() - began
    store = client.vector_stores.retrieve(STORE)
    files = len(list((ROOT / "docs").rglob("*.md")))
    assert (store.file_counts.completed, store.file_counts.failed) == (files, 0)
    began = time.monotonic()
    ingest(stack)
    note(f"documents: {files} files in {first:.0f} s, again with nothing changed in {time.monotonic() - began:.1f} s")
    missed = {}
    for question, (name, words) in QUESTIONS.items():
        found = client.vector_stores.search(STORE, query=question, max_num_results=3).data
        texts = [(each.filename, each.content[0].text) for each in found]
        if not any(filename.endswith(name) and words in text.lower() for filename, text in texts):
            missed[question] = texts
    assert missed == {}


def test_an_answer_streams_and_names_its_sources(client: OpenAI) -> None:
    question = next(iter(QUESTIONS))
    stream = client.chat.completions.create(
        model="handbook-chat", messages=[{"role": "user", "content": question}], max_tokens=24, stream=True
    )
    began = time.monotonic()
    chunks: list[ChatCompletionChunk] = []
    for chunk in stream:
        if not chunks:
            note(f"pipeline: first chunk after {time.monotonic() - began:.2f} s")
        chunks.append(chunk)
    sources = chunks[0].model_dump()["sources"]
    assert len(sources) == 2
    assert sources[0]["filename"].endswith("serving.md")
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    response = client.responses.create(
        model="handbook-chat",
        input=question,
        max_output_tokens=24,
        tools=[{"type": "file_search", "vector_store_ids": [STORE], "max_num_results": 1}],
        include=["file_search_call.results"],
    )
    call, message = (item.model_dump() for item in response.output)
    assert (call["type"], message["type"]) == ("file_search_call", "message")
    assert call["results"][0]["filename"] == sources[0]["filename"]
    assert message["content"][0]["annotations"]
    assert response.usage
    assert response.usage.input_tokens > 200


def test_frameworks_ask_it_as_a_model(stack: Stack) -> None:
    texts = ask_as_frameworks_do(stack, "handbook-chat", next(iter(QUESTIONS)))
    assert all(texts.values()), texts


def test_what_is_deleted_is_not_found(stack: Stack, client: OpenAI) -> None:
    file = client.files.create(
        file=("secret.md", b"The parrot of the harbour master is called Wilhelmina."), purpose="assistants"
    )
    client.vector_stores.files.create_and_poll(file.id, vector_store_id=STORE)

    def first() -> str:
        return client.vector_stores.search(STORE, query="What is the parrot called?").data[0].content[0].text

    assert "Wilhelmina" in first()
    client.files.delete(file.id)
    assert "Wilhelmina" not in first()
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_another_team_neither_reads_nor_writes(stack: Stack, client: OpenAI) -> None:
    file = client.files.create(file=("own.md", b"own"), purpose="assistants")
    birds = OpenAI(base_url=f"{stack.url}/v1", api_key=stack.key("team-birds"), max_retries=0)
    with pytest.raises(openai.NotFoundError):
        birds.files.retrieve(file.id)
    with pytest.raises((openai.PermissionDeniedError, openai.NotFoundError)):
        birds.vector_stores.files.create(STORE, file_id=file.id)
    client.files.delete(file.id)


def test_documents_that_are_away_are_a_clear_503_and_come_back(stack: Stack, client: OpenAI) -> None:
    """Ray's pods do not mind, and no model writes an answer without its sources."""
    pods = ray_pods(stack)

    def ask() -> str | None:
        try:
            client.chat.completions.create(
                model="handbook-chat", messages=[{"role": "user", "content": "adapters"}], max_tokens=4
            )
        except openai.InternalServerError as error:
            return error.code
        return "answered"

    assert ask() == "answered"
    stack.kubectl("scale", f"deployment/{stack.fullname}-data", "--replicas=0")
    wait_until("the documents to be away", 60, lambda: ask() == "store_unavailable")
    stack.kubectl("scale", f"deployment/{stack.fullname}-data", "--replicas=1")
    began = time.monotonic()
    wait_until("answers again", 120, lambda: ask() == "answered")
    note(f"documents away: answers again {time.monotonic() - began:.1f} s after the pod may start")
    assert ray_pods(stack) == pods
