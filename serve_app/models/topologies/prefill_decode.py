"""Prefill and decode on replicas of their own: a decode replica has a prefill replica read the prompt first.

`/v1/chat/completions` and `/v1/completions` go that way; on the other APIs a decode replica does both.
"""

from ray import serve

from serve_app.models.routing import router_options, with_router
from serve_app.models.server import ModelServer
from serve_app.models.topologies.deployment import options
from serve_app.settings.model import ModelSettings


def build(settings: ModelSettings) -> serve.Application:
    """The application, whose ingress is decode."""
    roles = settings.roles
    if roles is None:
        raise ValueError(f"model {settings.model_id!r} has no roles")
    args = settings.as_args()
    part = options(settings, "Prefill", roles.prefill.accelerator, roles.prefill.parallelism)
    prefill = serve.deployment(ModelServer, **part).bind(args, "prefill")
    part = options(settings, "Decode", roles.decode.accelerator, roles.decode.parallelism)
    decode = serve.deployment(serve.ingress()(ModelServer), **part, **router_options(settings.routing))
    return with_router(decode.bind(args, "decode", prefill_server=prefill), settings.routing)
