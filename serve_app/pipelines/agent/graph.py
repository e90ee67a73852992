"""An agent as Serve deployments: the chart's overrides name them, and say how many replicas there are."""

from typing import Any

from ray import serve

from serve_app.pipelines.agent.parts import ConversationsPart, IngressPart
from serve_app.settings.agent import AgentSettings

_OPTIONS: dict[str, Any] = {
    "autoscaling_config": {"min_replicas": 1, "max_replicas": 1},
    "ray_actor_options": {"num_cpus": 0},
}
"""Until the overrides say otherwise; the first `autoscaling_config` that appears later would restart all."""


def build(settings: AgentSettings) -> serve.Application:
    """The application, whose ingress asks the part with the conversations by handle, where any are kept."""
    args = settings.model_dump(exclude_defaults=True) | {"kind": "agent"}
    ingress = serve.deployment(serve.ingress()(IngressPart), name="Ingress", **_OPTIONS)
    if not settings.conversations.max:
        return ingress.bind(args)
    conversations = serve.deployment(ConversationsPart, name="Conversations", **_OPTIONS)
    return ingress.bind(args, conversations.bind(args))
