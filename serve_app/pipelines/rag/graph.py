"""A RAG pipeline as Serve deployments: the chart's overrides name them, and say how many replicas there are."""

from typing import Any

from ray import serve

from serve_app.pipelines.rag.parts import IngressPart, RetrieverPart
from serve_app.settings.pipeline import RagSettings

_OPTIONS: dict[str, Any] = {
    "autoscaling_config": {"min_replicas": 1, "max_replicas": 1},
    "ray_actor_options": {"num_cpus": 0},
}
"""Until the overrides say otherwise; the first `autoscaling_config` that appears later would restart all."""


def build(settings: RagSettings) -> serve.Application:
    """The application, whose ingress streams answers and asks the retriever by handle."""
    args = settings.model_dump(exclude_defaults=True)
    retriever = serve.deployment(RetrieverPart, name="Retriever", **_OPTIONS).bind(args)
    return serve.deployment(serve.ingress()(IngressPart), name="Ingress", **_OPTIONS).bind(args, retriever)
