"""In the serve image: asks a real Ray which replica gets each prompt, as HAProxy does, and prints the answers."""

import asyncio
import json
import os
from types import SimpleNamespace

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle

from serve_app.models.routing import router_options
from serve_app.settings.model import Routing

TEXTS = [f"{number}: " + "once upon a time there was a bird. " * 20 for number in range(8)]
ROUNDS = 4


async def chosen(handle: DeploymentHandle, text: str) -> str:
    """The replica, without a request to it."""
    async with handle.choose_replica(SimpleNamespace(prompt=text), _reserve=False) as selection:
        return str(selection.replica_id)


async def main() -> None:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    options = router_options(Routing(policy="prefix-affinity"))

    @serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0}, **options)
    class Model:
        def __call__(self) -> None:
            """Is never asked."""

    handle = await asyncio.to_thread(serve.run, Model.bind(), name="model", route_prefix="/model")  # type: ignore[attr-defined]
    handle._init(_run_router_in_separate_loop=False)
    found = [[await chosen(handle, f"{text} question {turn}") for text in TEXTS] for turn in range(ROUNDS)]
    print(json.dumps(found), flush=True)
    os._exit(0)  # Ray's own end takes ten seconds


if __name__ == "__main__":  # Ray imports it too
    asyncio.run(main())
