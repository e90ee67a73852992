"""One kind of replicas: on one device, on several of a pod, on several pods, or ranks of a data parallel group."""

from ray import serve

from serve_app.models.routing import router_options, with_router
from serve_app.models.server import ModelServer
from serve_app.models.topologies.deployment import options
from serve_app.settings.model import ModelSettings


def build(settings: ModelSettings) -> serve.Application:
    """The application; HAProxy passes a request to a replica's own HTTP server."""
    part = options(settings, "LLMServer", settings.accelerator, settings.parallelism)
    deployment = serve.deployment(serve.ingress()(ModelServer), **part, **router_options(settings.routing))
    return with_router(deployment.bind(settings.as_args()), settings.routing)
