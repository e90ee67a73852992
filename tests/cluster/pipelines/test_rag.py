"""Questions on the project's own documents: taken in, found, answered with their sources, and forgotten."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionChunk

from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.pipelines.programs import ask_as_frameworks_do
from tests.cluster.stack import ROOT, Stack
from tests.cluster.test_edits import ray_pods

STORE = "vs_handbook"
QUESTIONS = {  # the file, and words of the section that answers; tests/campaign/test_rag.py asks of all documents
    "Which adapters can come and go without restarting the model?": ("serving.md", "adapter"),
    "How do I split prefill and decode into replicas of their own?": ("serving.md", "prefill"),
    "When is plain vLLM without Ray enough?": ("runtimes.md", "standalone"),
    "How can HorizontalPodAutoscaler scale by requests with prometheus-adapter?": ("runtimes.md", "prometheus-adapter"),
    "How do I choose a TPU topology?": ("accelerators.md", "tpu"),
    "What does Argo CD show as a difference after a sync?": ("argocd.md", "argo"),
    "How are PDF files read and split into parts?": ("documents.md", "pdf"),
}


def ingest(stack: Stack, folder: Path) -> None:
    """Fill the store with the folder's documents, by the command that users have for it."""
    python = f"{os.environ['RAY_VLLM_STACK_CACHE']}/data-venv/bin/python"  # which has what the data image has
    command = [python, "-m", "serve_app.data", "ingest", str(folder), "--store", "handbook", "--endings", ".md"]
    done = subprocess.run(
        [*command, "--url", f"{stack.url}/v1", "--prune"],
        cwd=ROOT,
        env={**os.environ, "OPENAI_API_KEY": stack.api_key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def found_by_its_words(stack: Stack, client: OpenAI, folder: Path, questions: dict[str, tuple[str, str]]) -> None:
    """Every question has the section that answers it among the first three parts."""
    began = time.monotonic()
    ingest(stack, folder)
    first = time.monotonic() - began
    store = client.vector_stores.retrieve(STORE)
    files = len(list(folder.rglob("*.md")))
    assert (store.file_counts.completed, store.file_counts.failed) == (files, 0)
    began = time.monotonic()
    ingest(stack, folder)
    note(f"documents: {files} files in {first:.0f} s, again with nothing changed in {time.monotonic() - began:.1f} s")
    missed = {}
    for question, (name, words) in questions.items():
        found = client.vector_stores.search(STORE, query=question, max_num_results=3).data
        texts = [(each.filename, each.content[0].text) for each in found]
        if not any(filename.endswith(name) and words in text.lower() for filename, text in texts):
            missed[question] = texts
    assert missed == {}


def test_the_right_section_is_among_the_first_three(stack: Stack, client: OpenAI, tmp_path: Path) -> None:
    for name in {name for name, _ in QUESTIONS.values()}:
        shutil.copy(ROOT / "docs" / name, tmp_path)
    found_by_its_words(stack, client, tmp_path, QUESTIONS)


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
