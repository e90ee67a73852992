"""An agent put together from its settings."""

from functools import partial

from serve_app.pipelines.agent import chat
from serve_app.pipelines.agent.classifier import Classifier
from serve_app.pipelines.agent.model import Gateway
from serve_app.pipelines.agent.responses import Memory, Responses
from serve_app.pipelines.agent.retrieval_tools import Find
from serve_app.pipelines.agent.runner import Runner
from serve_app.pipelines.agent.sources import Sources
from serve_app.pipelines.app import Api
from serve_app.pipelines.generator import Generator
from serve_app.pipelines.measures import Measures
from serve_app.pipelines.tracing import Tracing
from serve_app.settings.agent import AgentSettings


def apis(
    settings: AgentSettings,
    *,
    gateway: Gateway,
    find: Find,
    memory: Memory | None,
    tracing: Tracing,
    measures: Measures,
) -> dict[str, Api]:
    """What `create_app` serves.

    Args:
        settings: The agent's.
        gateway: Has its models.
        find: Asks a pipeline for documents.
        memory: Where conversations are kept; None: nowhere.
        tracing: Makes spans.
        measures: Notes times and counts.
    """
    classifier: Classifier | None = None
    if settings.branches:
        classifier = Classifier(Generator(gateway.client, settings.classify), settings.branches, measures)
    runner = Runner(
        settings,
        models=gateway.model,
        classifier=classifier,
        sources=Sources(settings, find, measures),
        tracing=tracing,
        measures=measures,
    )
    responses = Responses(runner, memory)
    return {
        "/v1/chat/completions": Api(partial(chat.whole, runner), partial(chat.streamed, runner)),
        "/v1/responses": Api(responses.whole, responses.streamed),
    }
