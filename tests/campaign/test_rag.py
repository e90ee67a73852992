"""All of the project's documents in one store: each question has its section among the first three parts."""

import pytest
from openai import OpenAI

from tests.cluster.pipelines.conftest import added, client, tools
from tests.cluster.pipelines.test_rag import QUESTIONS, found_by_its_words
from tests.cluster.stack import ROOT, Stack

__all__ = ["added", "client", "tools"]
ALL = QUESTIONS | {
    "How is speculative decoding turned on?": ("cookbook.md", "speculative"),
    "What happens to an upgrade that would build a new Ray cluster without approval?": ("safe-change.md", "safechange"),
    "What do I do when the Ray head is down?": ("runbook.md", "head"),
}


@pytest.mark.usefixtures("added")
def test_every_question_has_its_section_among_the_first_three(stack: Stack, client: OpenAI) -> None:
    found_by_its_words(stack, client, ROOT / "docs", ALL)
