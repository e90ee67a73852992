"""A model as Serve deployments: one kind of replicas, ranks that start together, or prefill and decode apart.

Each topology has `build`, and each kind of replicas is a deployment whose name the chart's overrides say.
"""

from ray import serve

from serve_app.models.topologies import prefill_decode, single
from serve_app.settings.model import ModelSettings


def build(settings: ModelSettings) -> serve.Application:
    """The application of a model."""
    return prefill_decode.build(settings) if settings.roles else single.build(settings)
