"""What the chart drops on the way to providers is what the pinned vLLM takes beyond OpenAI's API."""

import json

import yaml
from openai.types import completion_create_params, embedding_create_params
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.responses import response_create_params

from .test_serve_config import ROOT, image, run

__all__ = ["image"]

VALUES = ROOT / "charts" / "ray-vllm-stack" / "values.yaml"
OPENAI = (
    chat_create_params.CompletionCreateParamsBase,
    chat_create_params.CompletionCreateParamsStreaming,
    completion_create_params.CompletionCreateParamsBase,
    completion_create_params.CompletionCreateParamsStreaming,
    embedding_create_params.EmbeddingCreateParams,
    response_create_params.ResponseCreateParamsBase,
    response_create_params.ResponseCreateParamsStreaming,
)
RERANK = {"documents", "instruction", "max_tokens_per_doc", "max_tokens_per_query", "query", "top_n"}
"""Fields of rerank APIs, which other servers have too."""
OLDER = {f"guided_{what}" for what in ("choice", "decoding_backend", "grammar", "json", "regex", "whitespace_pattern")}
"""Fields of vLLM before `structured_outputs`, which clients still send."""
PRINT = """
import json
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.protocol import CompletionRequest
from vllm.entrypoints.openai.responses.protocol import ResponsesRequest
from vllm.entrypoints.pooling.embed.protocol import EmbeddingChatRequest, EmbeddingCompletionRequest
from vllm.entrypoints.pooling.scoring.protocol import RerankRequest
requests = ChatCompletionRequest, CompletionRequest, ResponsesRequest
pooling = EmbeddingChatRequest, EmbeddingCompletionRequest, RerankRequest
print("FIELDS" + json.dumps(sorted({name for each in requests + pooling for name in each.model_fields})))
"""


def test_fields_of_vllm_alone_are_dropped(image: str) -> None:
    done = run(image, "python", "-c", PRINT)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("FIELDS"))
    known = {name for each in OPENAI for name in each.__annotations__} | RERANK
    dropped = yaml.safe_load(VALUES.read_text())["providerDefaults"]["fields"]
    assert set(dropped) == set(json.loads(line.removeprefix("FIELDS"))) - known | OLDER
    assert set(dropped.values()) == {""}
