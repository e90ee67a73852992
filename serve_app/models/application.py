"""One model as a Ray Serve application with direct streaming: HAProxy passes a request to the vLLM replica itself."""

from typing import Any

from ray import serve
from ray.serve.exceptions import RayServeException
from ray.serve.llm import LLMConfig, build_openai_app

from serve_app.models.environment import check_direct_streaming
from serve_app.models.placement import placement
from serve_app.models.source import check_present, location
from serve_app.models.task import engine_arguments
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
        return application(settings)
    except ValueError as error:
        # Of this class Ray reports the text alone as the application's message, of any other a traceback, and it
        # builds again three times.
        raise RayServeException(_sentence(error)) from error


def application(settings: ModelSettings) -> serve.Application:
    """Builds the application from checked settings."""
    return build_openai_app({"llm_configs": [llm_config(settings)]})


def llm_config(settings: ModelSettings) -> LLMConfig:
    """What Ray Serve LLM is told of the model. Nothing about replicas: those are overrides in the Serve config."""
    engine = engine_arguments(settings)
    if settings.tensor_parallel > 1:
        engine["tensor_parallel_size"] = settings.tensor_parallel
    if settings.revision:
        engine["revision"] = settings.revision
    return LLMConfig(
        model_loading_config={"model_id": settings.model_id, "model_source": location(settings.source)},
        accelerator_config={"kind": "cpu" if settings.accelerator.platform == "cpu" else "gpu"},
        placement_group_config=placement(settings),
        engine_kwargs=engine,
        runtime_env={"env_vars": dict(settings.env)} if settings.env else None,
    )


def _sentence(error: ValueError) -> str:
    """The first line of an error that is Ray's own or vLLM's; ours have only one."""
    return str(error) if isinstance(error, SettingsError) else " ".join(str(error).split())
