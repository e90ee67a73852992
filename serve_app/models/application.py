"""One model as a Ray Serve application with direct streaming: HAProxy passes a request to the vLLM replica itself."""

from typing import Any

from ray import serve
from ray.serve.exceptions import RayServeException

from serve_app.models import topologies
from serve_app.models.environment import check_direct_streaming
from serve_app.models.source import check_present
from serve_app.settings.errors import SettingsError
from serve_app.settings.model import ModelSettings
from serve_app.version import check_pair


def build(args: dict[str, Any]) -> serve.Application:
    """Builds the application from the chart's args."""
    try:
        settings = ModelSettings.parse(args)
        check_direct_streaming()
        check_pair(settings.versions.ray, settings.versions.vllm)
        check_present(settings)
        return topologies.build(settings)
    except ValueError as error:
        # Of this class Ray reports the text alone as the application's message, of any other a traceback, and it
        # builds again three times.
        raise RayServeException(_sentence(error)) from error


def _sentence(error: ValueError) -> str:
    """The first line of an error that is Ray's own; ours have only one."""
    return str(error) if isinstance(error, SettingsError) else " ".join(str(error).split())
