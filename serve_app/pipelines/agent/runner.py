"""One answer: the branch is chosen, and pydantic-ai's loop asks the model and calls tools until it ends or is ended."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Any

from pydantic_ai import (
    Agent,
    AgentRunResultEvent,
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    ModelAPIError,
    PartDeltaEvent,
    PartStartEvent,
    RunUsage,
    TextPart,
    TextPartDelta,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UsageLimits,
)
from pydantic_ai.agent import AgentRunEvents
from pydantic_ai.exceptions import RunTimedOut
from pydantic_ai.settings import ModelSettings

from serve_app.pipelines.agent.classifier import Chosen, Classifier
from serve_app.pipelines.agent.events import Called, Ended, Event, Events, Limit, Reason, Returned, Said
from serve_app.pipelines.agent.messages import Conversation, keeping
from serve_app.pipelines.agent.model import Models, failure
from serve_app.pipelines.agent.sources import Sources
from serve_app.pipelines.agent.toolbox import Toolbox
from serve_app.pipelines.errors import ApiError, away
from serve_app.pipelines.measures import Measures
from serve_app.pipelines.tracing import Carrier, Tracing
from serve_app.settings.agent import AgentSettings

_REASONS: dict[str | None, Reason] = {"length": "length", "content_filter": "content_filter"}


class Runner:
    """Answers conversations."""

    def __init__(
        self,
        settings: AgentSettings,
        *,
        models: Models,
        classifier: Classifier | None,
        sources: Sources,
        tracing: Tracing,
        measures: Measures,
    ) -> None:
        """Joins the parts.

        Args:
            settings: The pipeline's.
            models: Makes models.
            classifier: Chooses branches; None where there are none.
            sources: Makes tools.
            tracing: Makes spans.
            measures: Notes times and counts.
        """
        self.settings = settings
        self._models = models
        self._classifier = classifier
        self._sources = sources
        self._tracing = tracing
        self._measures = measures
        self._agent: Agent[None, str] = Agent(name=settings.pipeline_id, retries=settings.limits.steps)

    async def run(self, conversation: Conversation, options: dict[str, Any], trace: Carrier) -> Events:
        """What happens until the answer has ended; the last event is `Ended`.

        Args:
            conversation: What is answered.
            options: Fields of the chat completions that the model is asked for, such as `temperature`.
            trace: The context of the request's span.

        Raises:
            ApiError: What cannot be answered; before the first event, if nothing has been said by then.
        """
        began = time.monotonic()
        chosen = await self._chosen(conversation, trace)
        counted = RunUsage()
        left = self.settings.limits.seconds - (time.monotonic() - began)
        progress = _Progress(chosen, counted)
        toolbox = Toolbox(
            self._sources.of(chosen.branch, counted),
            self.settings.limits,
            trace=trace,
            tracing=self._tracing,
            measures=self._measures,
        )
        async with (
            _told(),
            self._events(conversation, options, trace, toolbox, chosen.branch, max(left, 0.1)) as events,
            aclosing(progress.read(events, toolbox)) as told,
        ):
            async for event in told:
                yield event
            self._measures.steps(events.usage.requests)

    async def _chosen(self, conversation: Conversation, trace: Carrier) -> Chosen:
        if self._classifier is None:
            return Chosen()
        seconds = self.settings.limits.seconds
        try:
            with self._tracing.span("classify", trace) as span:
                async with asyncio.timeout(seconds):
                    chosen = await self._classifier(conversation.question, span.carrier)
                span.set("pipeline.branch", chosen.branch)
                return chosen
        except TimeoutError as error:
            raise away(f"No branch was chosen within {seconds:g} s, try again.", "classification_timeout") from error

    def _events(
        self,
        conversation: Conversation,
        options: dict[str, Any],
        trace: Carrier,
        toolbox: Toolbox,
        branch: str,
        seconds: float,
    ) -> Any:  # noqa: ANN401 - a context manager of AgentRunEvents
        settings, limits = self.settings, self.settings.limits
        taken = settings.branches.get(branch)
        own = settings.instructions if taken is None or taken.instructions is None else taken.instructions
        return self._agent.run_stream_events(
            conversation.prompt,
            model=self._models((taken.model if taken else "") or settings.generate),
            message_history=conversation.history,
            instructions="\n\n".join(text for text in (own, conversation.instructions) if text) or None,
            toolsets=[toolbox],
            model_settings=ModelSettings(extra_body=options, extra_headers=dict(trace)),
            usage_limits=UsageLimits(request_limit=limits.steps, total_tokens_limit=limits.tokens),
            timeout=seconds,
        )


class _Progress:
    """Turns pydantic-ai's events into ours."""

    def __init__(self, chosen: Chosen, counted: RunUsage) -> None:
        self._chosen = chosen
        self._counted = counted
        self._calls: dict[str, Called] = {}

    async def read(self, events: AgentRunEvents[str], toolbox: Toolbox) -> AsyncGenerator[Event, None]:
        """All of a run."""
        try:
            async for event in events:
                match event:
                    case PartStartEvent(part=TextPart(content=text)) if text:
                        yield Said(text)
                    case PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if text:
                        yield Said(text)
                    case FunctionToolCallEvent(part=part):
                        source = toolbox.source_of(part.tool_name)
                        call = Called(part.tool_call_id, source, part.tool_name, part.args_as_json_str())
                        self._calls[call.id] = call
                        yield call
                    case FunctionToolResultEvent(part=part):
                        failed = part.outcome != "success"
                        yield Returned(self._calls[part.tool_call_id], str(part.content), failed)
                    case AgentRunResultEvent(result=result):
                        reason = _REASONS.get(result.response.finish_reason, "stop")
                        yield self._ended(events, reason, "", keeping(result.all_messages()))
                    case _:
                        pass
        except UsageLimitExceeded as error:
            limit: Limit = "steps" if "request_limit" in error.message else "tokens"
            yield self._ended(events, "length", limit)
        except RunTimedOut:
            yield self._ended(events, "length", "seconds")

    def _ended(self, events: AgentRunEvents[str], reason: Reason, limit: Limit, conversation: bytes = b"") -> Ended:
        usage, more = events.usage, self._chosen.usage or {}
        prompt = usage.input_tokens + self._counted.input_tokens + int(more.get("prompt_tokens") or 0)
        completion = usage.output_tokens + int(more.get("completion_tokens") or 0)
        told = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
        }
        return Ended(reason, limit, told, self._chosen.branch, conversation)


@asynccontextmanager
async def _told() -> AsyncGenerator[None, None]:
    """Says in our words what ends a run before its end."""
    try:
        yield
    except ModelAPIError as error:
        raise failure(error) from error
    except UnexpectedModelBehavior as error:
        message = f"The agent's model does not answer in a form that is known: {error.message}"
        raise ApiError(HTTPStatus.BAD_GATEWAY, message, code="agent_failed") from error
    except OSError as error:  # the token's file
        raise away("The gateway wants a token that is not there yet, try again.", "generation_failed") from error


def texts(events: Sequence[Event]) -> str:
    """The text of an answer, each step's apart from the next one's."""
    found, apart = "", False
    for event in events:
        if isinstance(event, Said):
            found += ("\n\n" if apart and found else "") + event.text
        apart = not isinstance(event, Said)
    return found
