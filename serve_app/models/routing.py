"""Which replica gets a request: HAProxy's choice, or that of a router process that HAProxy asks first."""

from typing import Any

from ray import serve
from ray.serve.config import RequestRouterConfig

from serve_app.settings.model import Routing

_CLASSES = {
    "round-robin": "ray.serve.experimental.round_robin_router:RoundRobinRouter",
    "session": "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter",
    "prefix-affinity": "serve_app.models.prefix_affinity:PrefixAffinityRouter",
}
_PREFIX_TREE_CHARACTERS = 40_000_000
"""A prompt of 100,000 tokens has 400,000 characters, which is the library's own bound of the whole tree."""


def router_options(routing: Routing) -> dict[str, Any]:
    """Serve's options for the deployment whose replicas are chosen."""
    if routing.policy == "least-requests":
        return {}
    config = RequestRouterConfig(
        request_router_class=_CLASSES[routing.policy], request_router_kwargs=_arguments(routing)
    )
    return {"request_router_config": config}


def with_router(app: serve.Application, routing: Routing) -> serve.Application:
    """The application with its router process, where the policy needs one.

    `least-requests` needs none: HAProxy itself picks the replica with the fewest connections, and Serve's proxy on the
    head holds the first request of a model without replicas.
    """
    if routing.policy == "least-requests":
        return app
    from ray.llm._internal.serve.core.ingress.router import LLMRouter  # imports torch, so not above

    router = serve.deployment(LLMRouter, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0})
    return app._with_ingress_request_router(router.bind(server=app))


def _arguments(routing: Routing) -> dict[str, Any]:
    if routing.policy != "prefix-affinity":
        return {}
    return {
        "imbalanced_threshold": routing.imbalanced_threshold,
        "match_rate_threshold": routing.match_rate_threshold,
        "do_eviction": True,  # else the tree of all prompts grows for ever
        "eviction_threshold_chars": _PREFIX_TREE_CHARACTERS,
        "eviction_target_chars": _PREFIX_TREE_CHARACTERS * 9 // 10,
    }
