"""What other applications of the cluster ask a model by its handle, in plain types: they import neither vLLM nor torch.

A refusal is an answer too, `{"error": sentence, "status": status}`: vLLM's exceptions could not be read there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_CUT = -1
"""`truncate_prompt_tokens`: what is longer than the model's context is cut to it."""
_NOTHING = {"error": "the model answered nothing", "status": 500}


async def embed(server: Any, texts: Sequence[str], headers: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401
    """Vectors of texts.

    Args:
        server: Ray Serve LLM's server.
        texts: The texts.
        headers: Those of the request that this is part of, such as its trace context.

    Returns:
        `{"vectors": [[number, ...], ...], "tokens": number}`, or a refusal.
    """
    from ray.llm._internal.serve.core.configs.openai_api_models import EmbeddingCompletionRequest

    request = EmbeddingCompletionRequest(model=_name(server), input=list(texts), truncate_prompt_tokens=_CUT)
    async for answer in await server.embeddings(request, _raw(headers)):
        if refused := _refusal(answer):
            return refused
        ordered = sorted(answer.data, key=lambda each: each.index)
        return {"vectors": [list(each.embedding) for each in ordered], "tokens": answer.usage.prompt_tokens}
    return _NOTHING


async def score(server: Any, question: str, texts: Sequence[str], headers: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401
    """How well texts fit a question; arguments as for `embed`.

    Returns:
        `{"scores": [number, ...], "tokens": number}`, or a refusal.
    """
    from ray.llm._internal.serve.core.configs.openai_api_models import ScoreRequest

    request = ScoreRequest(model=_name(server), text_1=question, text_2=list(texts), truncate_prompt_tokens=_CUT)
    async for answer in await server.score(request, _raw(headers)):
        if refused := _refusal(answer):
            return refused
        ordered = sorted(answer.data, key=lambda each: each.index)
        return {"scores": [each.score for each in ordered], "tokens": answer.usage.prompt_tokens}
    return _NOTHING


def _name(server: Any) -> str:  # noqa: ANN401
    return str(server._llm_config.model_id)


def _raw(headers: Mapping[str, str]) -> Any:  # noqa: ANN401 - Ray has no types
    from ray.llm._internal.serve.core.protocol import RawRequestInfo

    return RawRequestInfo(headers=dict(headers))


def _refusal(answer: Any) -> dict[str, Any] | None:  # noqa: ANN401
    error = getattr(answer, "error", None)
    if error is None:
        return None
    status = error.code if isinstance(error.code, int) else 500
    return {"error": str(error.message), "status": status}
