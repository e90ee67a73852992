"""The deployments of an agent: each replica is one of these, in a process of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from serve_app.pipelines.agent.conversations import Conversations
from serve_app.pipelines.errors import ApiError, away
from serve_app.pipelines.handles import call, logger
from serve_app.pipelines.rag.source import Query, Retrieved
from serve_app.settings.agent import AgentSettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from serve_app.pipelines.agent.responses import Memory


class ConversationsPart:
    """Keeps conversations for all replicas of the other part. There is one of it, which forgets all where it ends."""

    def __init__(self, args: dict[str, Any]) -> None:
        """Takes the pipeline's settings, as the chart renders them."""
        self._conversations = Conversations(AgentSettings.parse(args).conversations)

    async def get(self, response_id: str) -> bytes:
        """See `Conversations`."""
        return self._conversations.get(response_id)

    async def put(self, response_id: str, conversation: bytes) -> bool:
        """See `Conversations`."""
        return self._conversations.put(response_id, conversation)


class IngressPart:
    """Answers clients. It holds a request for as long as its answer streams."""

    def __init__(self, args: dict[str, Any], conversations: DeploymentHandle | None = None) -> None:
        """Takes the pipeline's settings, and the other part where there is one."""
        self._settings = AgentSettings.parse(args)
        self._conversations = conversations
        self._retrievers: dict[str, DeploymentHandle] = {}

    async def _find(self, pipeline: str, query: Query) -> Retrieved:
        try:
            handle = self._retrievers.get(pipeline)
            if handle is None:  # the controller is asked, which blocks
                handle = await asyncio.to_thread(serve.get_deployment_handle, "Retriever", app_name=pipeline)
                self._retrievers[pipeline] = handle
            found: Retrieved | ApiError = await call(handle, "retrieve", (query,))
        except Exception as error:
            self._retrievers.pop(pipeline, None)
            logger.warning("retriever of %s: %r", pipeline, error)
            raise away(f"{pipeline} cannot be searched now.", "retriever_unavailable") from error
        if isinstance(found, ApiError):
            raise found
        return found

    def _memory(self) -> Memory | None:
        from serve_app.pipelines.agent.responses import Memory

        handle = self._conversations
        if handle is None:
            return None

        async def get(response_id: str) -> bytes:
            try:
                earlier: bytes = await call(handle, "get", (response_id,))
            except Exception as error:
                logger.warning("conversations: %r", error)
                message = "Earlier conversations cannot be read now, try again."
                raise away(message, "conversations_unavailable") from error
            return earlier

        async def put(response_id: str, conversation: bytes) -> bool:
            try:
                kept: bool = await call(handle, "put", (response_id, conversation))
            except Exception as error:  # the answer is there, and says that it is not kept
                logger.warning("conversations: %r", error)
                return False
            return kept

        return Memory(get, put)

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        """The agent's HTTP. What it stands on is imported here: the other part takes no memory for it."""
        from serve_app.pipelines.agent.assembly import apis
        from serve_app.pipelines.agent.model import Gateway
        from serve_app.pipelines.app import create_app
        from serve_app.pipelines.measures import RayMeasures
        from serve_app.pipelines.tracing import Tracing

        settings = self._settings
        tracing = Tracing.of(settings.tracing, settings.pipeline_id)
        made = apis(
            settings,
            # no key is called like this one, so no client's limits count its work a second time
            gateway=Gateway(settings.gateway, f"pipeline:{settings.pipeline_id}", tracing),
            find=self._find,
            memory=self._memory(),
            tracing=tracing,
            measures=RayMeasures(),
        )
        return create_app(made, tracing)
