"""A model by Ray Serve LLM's own builders, for `serve_app.models.check`: ours must place replicas as theirs do."""

from ray import serve
from ray.serve.llm import build_dp_openai_app, build_openai_app, build_pd_openai_app

from serve_app.models.llm_config import llm_config
from serve_app.settings.model import ModelSettings


def application(settings: ModelSettings) -> serve.Application:
    """The application that the builder for the model's topology makes."""
    if settings.roles:
        return build_pd_openai_app(
            {"prefill_config": llm_config(settings, "prefill"), "decode_config": llm_config(settings, "decode")}
        )
    if settings.parallelism.data > 1:
        return build_dp_openai_app({"llm_config": llm_config(settings)})
    return build_openai_app({"llm_configs": [llm_config(settings)]})
