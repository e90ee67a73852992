"""Python's libraries that ask models, each with its own errors."""

from pathlib import Path

import pytest

from tests.clients.all.conftest import PROGRAMS, Check, install
from tests.clients.all.report import CODES, OPENAI, SECOND, Api, lacks

LITELLM = ("NotFoundError 404", "AuthenticationError 401", "ContextWindowExceededError 400")
PYDANTIC_AI = [
    f"Model{name}Error {code}"
    for name, code in zip(("NotFound", "Authentication", "ContextWindowExceeded"), CODES, strict=True)
]
PYDANTIC_AI_ANTHROPIC = [line.rpartition(" ")[0] for line in PYDANTIC_AI]
KERNEL = [f"ServiceResponseException {code}" for code in CODES]
DSPY = (
    "LMUnsupportedModelError 404 unsupported_model",
    "LMAuthError 401 auth",
    "ContextWindowExceededError 400 context_window_exceeded",
)
DSPY_LACKS = lacks("stream", "tool", "structured", "left")
CLIENTS = {
    "autogen": {"chat": Api(OPENAI, more={"cancelled": "cancelled"})},
    "dspy": {
        "chat": Api(DSPY, DSPY_LACKS),
        "text": Api(DSPY, DSPY_LACKS, answers=False),  # it puts words of its own around the question
        "responses": Api(DSPY, DSPY_LACKS),
    },
    "haystack": {"chat": Api(OPENAI), "responses": Api(OPENAI, lacks("tool", "structured"))},
    "litellm": {
        "openai": Api(LITELLM, more={"too long, streamed": LITELLM[2]}),
        "hosted_vllm": Api(LITELLM, more={"too long, streamed": LITELLM[2]}),
        "anthropic": Api(LITELLM, lacks("structured", "left"), more={"too long, streamed": LITELLM[2]}),
    },
    "llm": {"chat": Api(OPENAI, lacks("tool", "left"), more=SECOND)},
    "openai_agents": {"chat": Api(OPENAI, more=SECOND), "responses": Api(OPENAI, lacks("tool"), more=SECOND)},
    "pydantic_ai": {
        "chat": Api(PYDANTIC_AI, more=SECOND),
        "responses": Api(PYDANTIC_AI, lacks("tool", "left"), more=SECOND),
        "anthropic": Api(PYDANTIC_AI_ANTHROPIC, lacks("tool", "structured", "left"), more=SECOND),
    },
    "semantic_kernel": {"chat": Api(KERNEL)},
    "smolagents": {"chat": Api(OPENAI)},
}


@pytest.fixture(scope="session")
def python() -> Path:
    return install("agents") / "bin/python"


def test_each_program_is_in_the_table() -> None:
    assert {path.stem for path in (PROGRAMS / "python").glob("*_app.py")} == {f"{name}_app" for name in CLIENTS}


@pytest.mark.parametrize("client", CLIENTS)
def test_python(client: str, python: Path, check: Check) -> None:
    check([str(python), str(PROGRAMS / "python" / f"{client}_app.py")], CLIENTS[client])
