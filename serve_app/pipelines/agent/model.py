"""The agent's model, asked at the gateway; its tool calls are parsed by its own parser in vLLM."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from openai import AsyncOpenAI
from pydantic_ai import ModelAPIError, ModelHTTPError, ModelMessage, ModelSettings, RunContext
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from serve_app.pipelines.errors import ApiError, away
from serve_app.pipelines.generator import CODE
from serve_app.pipelines.service import CONNECT_SECONDS, IDLE_SECONDS, ServiceClient, refusal, token_of
from serve_app.pipelines.tracing import Tracing
from serve_app.settings.pipeline import Service

Models = Callable[[str], WrapperModel]
"""Makes the model of a name."""
_PROFILE = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
"""A stream that breaks off is no answer."""


class Gateway:
    """Models behind the gateway."""

    def __init__(self, service: Service, caller: str, tracing: Tracing) -> None:
        """Begins; the first request opens a connection.

        Args:
            service: Where the gateway is.
            caller: The API key's name that it is to count the agent's work by.
            tracing: Makes spans.
        """

        async def token() -> str:  # for each request: a Secret's new token arrives in its file while this runs
            return token_of(service) or "none"

        self.client = ServiceClient(service, "The classifying model", code=CODE, caller=caller)
        """For requests that no agent makes."""
        self._tracing = tracing
        self._client = AsyncOpenAI(
            base_url=f"{service.url.rstrip('/')}/v1",
            api_key=token,
            default_headers={"x-gateway-key": caller},
            max_retries=0,
            timeout=httpx2.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS),
        )
        self._provider = OpenAICompatibleProvider("gateway", openai_client=self._client, profile=_PROFILE)

    def model(self, name: str) -> "TracedModel":
        """A model or route by its name."""
        return TracedModel(OpenAIChatModel(name, provider=self._provider), self._tracing)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()
        await self.client.close()


class TracedModel(WrapperModel):
    """A model whose requests have a span each, below the one in the headers of its settings."""

    def __init__(self, wrapped: OpenAIChatModel, tracing: Tracing) -> None:
        super().__init__(wrapped)
        self._tracing = tracing

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """A step of the model."""
        settings = model_settings or ModelSettings()
        with self._tracing.span("generate", settings.get("extra_headers") or {}) as span:
            settings = settings | ModelSettings(extra_headers=dict(span.carrier))
            async with self.wrapped.request_stream(messages, settings, model_request_parameters, run_context) as stream:
                yield stream


def failure(error: ModelAPIError) -> ApiError:
    """What a client is told where the model could not be asked."""
    if not isinstance(error, ModelHTTPError) or error.in_stream:
        return away("The agent's model cannot be reached or broke off, try again in a few seconds.", CODE)
    said = error.body if isinstance(error.body, dict) else {}
    retry_after = (error.headers or {}).get("retry-after", "")
    return refusal("The agent's model", error.status_code, said, code=CODE, retry_after=retry_after)
