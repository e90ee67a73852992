"""All of the project's documents in one store: what is found, what answers cost, pgvector, an embedder that rolls."""

import pytest
from openai import OpenAI

from tests.campaign.pgvector import documents_in_postgres
from tests.campaign.rag_bench import PIPELINE, compare
from tests.cluster.conftest import Serve
from tests.cluster.foretold import verdict
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.pipelines.conftest import VALUES, added, client, tools
from tests.cluster.pipelines.test_rag import QUESTIONS, STORE, found_by_its_words, ingest
from tests.cluster.stack import ROOT, Stack
from tests.cluster.test_edits import ray_cluster

__all__ = ["added", "client", "tools"]
ALL = QUESTIONS | {
    "How is speculative decoding turned on?": ("cookbook.md", "speculative"),
    "What happens to an upgrade that would build a new Ray cluster without approval?": ("safe-change.md", "safechange"),
    "What do I do when the Ray head is down?": ("runbook.md", "head"),
}
DOCUMENTS, ASKED = ROOT / "docs", [*ALL, *ALL]
OTHERS = ("sparrow", "owl")


def parts(serve: Serve) -> dict[str, set[str]]:
    """Part of a pipeline -> ids of its running replicas."""
    applications = serve.applications()
    return {
        f"{name} {part}": {each["replica_id"] for each in deployment["replicas"] if each["state"] == "RUNNING"}
        for name in VALUES["pipelines"]
        for part, deployment in applications[name]["deployments"].items()
    }


@pytest.mark.usefixtures("added")
def test_every_question_has_its_section_among_the_first_three(stack: Stack, client: OpenAI) -> None:
    found_by_its_words(stack, client, DOCUMENTS, ALL)


@pytest.mark.parametrize("at_once", [1, 8])
def test_a_pipelines_answer_beside_a_clients(stack: Stack, serve: Serve, at_once: int) -> None:
    """Search and completion over HTTP, with the prompt that the pipeline makes."""
    ingest(stack, DOCUMENTS)
    compare(stack, serve, ASKED, at_once, "Milvus Lite")


def test_the_same_in_postgres_with_pgvector(stack: Stack, serve: Serve, client: OpenAI) -> None:
    """The pipeline's parts do not notice; the documents on the claim are there again afterwards."""
    ingest(stack, DOCUMENTS)
    patient = client.with_options(max_retries=8)  # the data component's one pod is replaced
    before, replicas = patient.vector_stores.retrieve(STORE).file_counts, (serve.replicas(*OTHERS), parts(serve))
    with documents_in_postgres(stack):
        assert patient.vector_stores.retrieve(STORE).file_counts.total == 0
        found_by_its_words(stack, client, DOCUMENTS, ALL)
        compare(stack, serve, ASKED, 1, "pgvector")
        for file in client.files.list(purpose="assistants"):  # their bytes are on the claim all the same
            client.files.delete(file.id)
    assert patient.vector_stores.retrieve(STORE).file_counts == before
    assert (serve.replicas(*OTHERS), parts(serve)) == replicas


def test_an_embedder_that_is_edited_under_load_rolls_alone(stack: Stack, serve: Serve) -> None:
    ingest(stack, DOCUMENTS)
    old, cluster = serve.replicas("minilm")["minilm"], ray_cluster(stack)
    before = serve.replicas(*OTHERS), parts(serve)

    def is_new() -> bool:
        return bool(now := serve.replicas("minilm")["minilm"]) and not now & old

    edit = ("--set", "models.minilm.engine.max_num_seqs=4")
    said = verdict(stack, ["--reuse-values", *edit])
    load = Load("embedder edited", stack.url, stack.api_key, {"sparrow": 0.5, PIPELINE: 0.5})
    with load:
        stack.edit(*edit)
        wait_until("minilm's replica to be replaced", 400, is_new)
        stack.wait_for_models()
    assert {name: outcome.failed for name, outcome in load.outcomes.items()} == {"sparrow": [], PIPELINE: []}
    assert said["model minilm"] == "rolls"
    assert {said[f"model {name}"] for name in (*OTHERS, *VALUES["pipelines"])} == {"untouched"}
    assert (serve.replicas(*OTHERS), parts(serve)) == before
    assert ray_cluster(stack) == cluster
