"""One pipeline as a Ray Serve application."""

from typing import Any

from ray import serve
from ray.serve.exceptions import RayServeException

from serve_app.pipelines.rag import graph
from serve_app.settings.pipeline import RagSettings
from serve_app.version import check_pair


def build(args: dict[str, Any]) -> serve.Application:
    """Builds the application from the chart's args."""
    try:
        settings = RagSettings.parse(args)
        check_pair(settings.versions.ray, settings.versions.vllm)
        return graph.build(settings)
    except ValueError as error:
        raise RayServeException(str(error)) from error  # of this class Ray reports the text alone, and builds once
