"""The pipeline's HTTP: both APIs, and errors as OpenAI's clients read them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from serve_app.pipelines.errors import ApiError, invalid
from serve_app.pipelines.tracing import Carrier, Tracing, carrier_of

Pieces = AsyncGenerator[bytes, None]
"""Closed where a client leaves, which ends the generation."""
ANSWERED = "x-pipeline-answered"
"""Of an error: it is the pipeline's own word. The gateway takes another 503 for a replica that is not there, asks again
for a while, and says that in the end."""
_CLIENT_LEFT = 499
"""What metrics show; nobody is there to read it."""
_STREAM_HEADERS = {"cache-control": "no-cache"}


class Api(NamedTuple):
    """What answers the requests of one of OpenAI's APIs, from their JSON and the context of their span."""

    whole: Callable[[dict[str, Any], Carrier], Coroutine[Any, Any, dict[str, Any]]]
    streamed: Callable[[dict[str, Any], Carrier], Pieces]
    """What is refused is raised in place of the first event."""


def create_app(apis: Mapping[str, Api], tracing: Tracing) -> Starlette:
    """The application of a pipeline.

    Args:
        apis: What answers, by its path.
        tracing: Makes spans.
    """
    routes = [Route(path, _endpoint(api, tracing), methods=["POST"]) for path, api in apis.items()]
    return Starlette(routes=routes, exception_handlers={ApiError: _refused})


def _endpoint(api: Api, tracing: Tracing) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        trace = carrier_of(request.headers)
        if body.get("stream") is not True:
            with tracing.span("answer", trace) as span:
                return await _unless_left(request, api.whole(body, span.carrier))
        pieces = _traced(api, tracing, body, trace)
        first = await anext(pieces)  # an error before it has a status
        return StreamingResponse(_joined(first, pieces), media_type="text/event-stream", headers=_STREAM_HEADERS)

    return endpoint


async def _unless_left(request: Request, answer: Coroutine[Any, Any, dict[str, Any]]) -> Response:
    """An answer, whose making ends where its client leaves."""
    making, leaving = asyncio.create_task(answer), asyncio.create_task(_left(request))
    try:
        await asyncio.wait((making, leaving), return_when=asyncio.FIRST_COMPLETED)
        return JSONResponse(making.result()) if making.done() else Response(status_code=_CLIENT_LEFT)
    finally:
        making.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _traced(api: Api, tracing: Tracing, body: dict[str, Any], trace: Carrier) -> Pieces:
    with tracing.span("answer", trace) as span:
        async with aclosing(api.streamed(body, span.carrier)) as pieces:
            async for piece in pieces:
                yield piece


async def _joined(first: bytes, others: Pieces) -> Pieces:
    async with aclosing(others):
        yield first
        async for piece in others:
            yield piece


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise invalid("The body is no JSON.", "body") from None
    if not isinstance(body, dict):
        raise invalid("The body is no JSON object.", "body")
    return body


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for it
    headers = {ANSWERED: "1", **({"retry-after": error.retry_after} if error.retry_after else {})}
    return JSONResponse(error.body(), status_code=error.status, headers=headers)
