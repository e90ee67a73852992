"""One pipeline as a Ray Serve application."""

from typing import Any

from ray import serve
from ray.serve.exceptions import RayServeException

from serve_app.pipelines.agent import graph as agent
from serve_app.pipelines.rag import graph as rag
from serve_app.settings.agent import AgentSettings
from serve_app.settings.pipeline import RagSettings
from serve_app.version import check_pair


def parse(args: dict[str, Any]) -> RagSettings | AgentSettings:
    """The settings of a pipeline of ours, by its kind; SettingsError for what cannot work."""
    return AgentSettings.parse(args) if args.get("kind") == "agent" else RagSettings.parse(args)


def graph_of(settings: RagSettings | AgentSettings) -> serve.Application:
    """The application of a pipeline of ours."""
    return agent.build(settings) if isinstance(settings, AgentSettings) else rag.build(settings)


def build(args: dict[str, Any]) -> serve.Application:
    """Builds the application from the chart's args."""
    try:
        settings = parse(args)
        check_pair(settings.versions.ray, settings.versions.vllm)
        return graph_of(settings)
    except ValueError as error:
        raise RayServeException(str(error)) from error  # of this class Ray reports the text alone, and builds once
