"""The replica that has seen a prompt's beginning, also where HAProxy and not Ray sends the request."""

import random
import time

import ray
from ray.serve._private.request_router import PendingRequest, RunningReplica
from ray.serve.llm.request_router import PrefixCacheAffinityRouter


class PrefixAffinityRouter(PrefixCacheAffinityRouter):  # type: ignore[misc]  # Ray has no types
    """Ray's router by prefixes, which learns from its choices.

    Ray's own learns from the requests that it sends. With direct streaming it sends none: HAProxy asks for a choice, of
    which Ray 2.60 takes the first candidate, and forwards the request itself. So the tree of prompts stays empty, and
    each prompt is new to every replica.
    """

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """The one replica that the prompt goes to: of those that know its beginning best, or by load, the least loaded.

        A request without a prompt, such as one whose body is too long for HAProxy to pass on, goes by load.
        """
        ranked = await super().choose_replicas(candidate_replicas, pending_request)
        if not ranked or not ranked[0]:
            return ranked  # type: ignore[no-any-return]
        chosen = min(random.sample(ranked[0], len(ranked[0])), key=self._queue_length)
        if pending_request is not None and pending_request.args:
            text = self._extract_text_from_request(pending_request)
            ray.get(self._tree_actor.insert.remote(text, chosen.replica_id.to_full_id_str(), time.time()))
        return [[chosen]]

    def _queue_length(self, replica: RunningReplica) -> int:
        """Requests that the replica had when it was last asked; 0 if it was not."""
        return self._replica_queue_len_cache.get(replica.replica_id) or 0
