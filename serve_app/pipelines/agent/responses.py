"""`/v1/responses` of an agent: each call of a tool is an item of type `mcp_call`, each text a message."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from serve_app.pipelines.agent.events import Called, Ended, Event, Returned, Said
from serve_app.pipelines.agent.messages import conversation_of
from serve_app.pipelines.agent.response import Response
from serve_app.pipelines.agent.runner import Runner
from serve_app.pipelines.errors import ApiError, invalid
from serve_app.pipelines.responses_input import echoed_of, messages_of, options_of
from serve_app.pipelines.tracing import Carrier


@dataclass(frozen=True, slots=True)
class Memory:
    """Where conversations are kept."""

    get: Callable[[str], Awaitable[bytes]]
    put: Callable[[str, bytes], Awaitable[bool]]
    """Tells whether it is kept."""


@dataclass(frozen=True, slots=True)
class Responses:
    """What answers the requests."""

    runner: Runner
    memory: Memory | None
    """None: nothing is kept."""

    async def whole(self, body: dict[str, Any], trace: Carrier) -> dict[str, Any]:
        """A response.

        Raises:
            ApiError: Of the request, the model or a tool's server.
        """
        response = self._response(body)
        async with aclosing(self._run(body, trace)) as run:
            async for happened in run:
                await self._take(response, happened)
        return response.shown()

    async def streamed(self, body: dict[str, Any], trace: Carrier) -> AsyncGenerator[bytes, None]:
        """The events of a response.

        Raises:
            ApiError: Before the first event.
        """
        response = self._response(body)
        begun = False
        try:
            async with aclosing(self._run(body, trace)) as run:
                async for happened in run:
                    for piece in () if begun else response.beginning():
                        yield piece
                    begun = True
                    for piece in await self._take(response, happened):
                        yield piece
        except ApiError as error:
            if not begun:
                raise
            yield response.failed(error.body()["error"])

    def _response(self, body: dict[str, Any]) -> Response:
        kept = self.memory is not None and body.get("store") is not False
        return Response(self.runner.settings.pipeline_id, echoed_of(body), body.get("previous_response_id"), store=kept)

    async def _take(self, response: Response, happened: Event) -> list[bytes]:
        """Adds what has happened to the response, and keeps the conversation at its end."""
        match happened:
            case Said(text):
                return list(response.said(text))
            case Called():
                return list(response.called(happened))
            case Returned():
                return list(response.returned(happened))
            case Ended():
                kept = bool(response.store and happened.conversation and self.memory)
                if kept and self.memory is not None:
                    kept = await self.memory.put(response.id, happened.conversation)
                response.store = kept
                return list(response.ended(happened))

    async def _run(self, body: dict[str, Any], trace: Carrier) -> AsyncGenerator[Event, None]:
        if body.get("tools"):
            raise invalid("tools is set, but an agent's tools are its own, leave it out", "tools")
        earlier = await self._earlier(body.get("previous_response_id"))
        conversation = conversation_of(messages_of(body), earlier)
        async with aclosing(self.runner.run(conversation, options_of(body), trace)) as run:
            async for happened in run:
                yield happened

    async def _earlier(self, previous: Any) -> bytes:  # noqa: ANN401 - what a client sends may be anything
        if not previous:
            return b""
        if self.memory is None:
            message = "previous_response_id is set, but this agent keeps no responses, send the conversation in input"
            raise invalid(message, "previous_response_id")
        earlier = await self.memory.get(str(previous))
        if not earlier:
            message = f"The response {previous!r} is not kept any more, send the conversation in input."
            code, param = "previous_response_not_found", "previous_response_id"
            raise ApiError(HTTPStatus.NOT_FOUND, message, code=code, param=param)
        return earlier
