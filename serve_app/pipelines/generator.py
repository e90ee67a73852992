"""The generating model, asked at the gateway: any model, route or provider, with its queue and its fallbacks."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from serve_app.pipelines.errors import away
from serve_app.pipelines.service import ServiceClient
from serve_app.pipelines.sse import DONE, EventTooLongError, data_of
from serve_app.pipelines.tracing import Carrier

Chunks = AsyncIterator[dict[str, Any]]
_PATH = "/v1/chat/completions"
CODE = "generation_failed"


class Generator:
    """Asks for chat completions."""

    def __init__(self, gateway: ServiceClient, model: str) -> None:
        self._gateway = gateway
        self._model = model

    async def whole(self, body: dict[str, Any], trace: Carrier) -> dict[str, Any]:
        """A completion.

        Raises:
            ApiError: What the gateway refuses, or 503.
        """
        request = {**body, "model": self._model, "stream": False}
        request.pop("stream_options", None)
        async with self._gateway.post(_PATH, request, trace) as answer:
            try:
                completion = await answer.json()
            except ValueError as error:
                raise away("The generating model answered in a form that is not known.", CODE) from error
        return completion if isinstance(completion, dict) else {}

    @asynccontextmanager
    async def stream(self, body: dict[str, Any], trace: Carrier) -> AsyncIterator[Chunks]:
        """The chunks of a completion, the last of which has its usage. Leaving the block early ends the generation.

        Raises:
            ApiError: What the gateway refuses before the first chunk, or 503.
        """
        request = {**body, "model": self._model, "stream": True, "stream_options": {"include_usage": True}}
        if (body.get("stream_options") or {}).get("continuous_usage_stats"):
            request["stream_options"]["continuous_usage_stats"] = True
        async with self._gateway.post(_PATH, request, trace) as answer:
            yield _chunks(answer.content.iter_any())


async def _chunks(pieces: AsyncIterator[bytes]) -> Chunks:
    try:
        async for data in data_of(pieces):
            if data == DONE:
                return
            chunk = json.loads(data)
            if isinstance(chunk, dict):
                yield chunk
    except (EventTooLongError, ValueError) as error:
        raise away("The generating model's stream cannot be read.", CODE) from error
    raise away("The generating model's stream ended before its end.", CODE)
