"""`/v1/chat/completions` of an agent: its text as a completion, with the steps beside it."""

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from serve_app.pipelines.agent.events import Called, Ended, Event, Returned, Said
from serve_app.pipelines.agent.messages import conversation_of
from serve_app.pipelines.agent.runner import Runner, texts
from serve_app.pipelines.errors import ApiError, invalid
from serve_app.pipelines.sse import END, event
from serve_app.pipelines.tracing import Carrier

_OWN = ("messages", "model", "n", "stream", "stream_options")
_NOT_ITS_OWN = ("tools", "tool_choice", "functions", "function_call", "parallel_tool_calls")


async def whole(runner: Runner, body: dict[str, Any], trace: Carrier) -> dict[str, Any]:
    """A completion.

    Raises:
        ApiError: Of the request, the model or a tool's server.
    """
    async with aclosing(_run(runner, body, trace)) as run:
        events = [happened async for happened in run]
    ended = events[-1]
    assert isinstance(ended, Ended)  # noqa: S101 - a run that does not end raises
    message = {"role": "assistant", "content": texts(events)}
    # Calls of one step run side by side; ids are the model's own, and may come again in the next one.
    returned = {id(each.call): each.shown() for each in events if isinstance(each, Returned)}
    called = [id(each) for each in events if isinstance(each, Called)]
    return {
        **_head(runner, "chat.completion"),
        "choices": [{"index": 0, "message": message, "finish_reason": ended.reason}],
        "usage": ended.usage,
        "steps": [returned[call] for call in called if call in returned],
        **_ended(ended),
    }


async def streamed(runner: Runner, body: dict[str, Any], trace: Carrier) -> AsyncGenerator[bytes, None]:
    """The events of a completion; each call of a tool and each result is one of them.

    Raises:
        ApiError: Before the first event.
    """
    head = _head(runner, "chat.completion.chunk")
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    begun = apart = said = False

    def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:  # noqa: ANN401
        nonlocal begun
        role = {} if begun else {"role": "assistant"}
        begun = True
        return event({**head, "choices": [{"index": 0, "delta": {**role, **delta}, "finish_reason": reason}], **more})

    try:
        async with aclosing(_run(runner, body, trace)) as run:
            async for happened in run:
                match happened:
                    case Said(text):
                        yield chunk({"content": ("\n\n" if apart and said else "") + text})
                        said = True
                    case Called(id_, source, name, arguments):
                        told = {"id": id_, "source": source, "name": name, "arguments": arguments}
                        yield chunk({}, step={"type": "call", **told})
                    case Returned(call, output, failed):
                        result = {"id": call.id, "output": output, "failed": failed}
                        yield chunk({}, step={"type": "result", **result})
                    case Ended():
                        yield chunk({}, happened.reason, **_ended(happened))
                        if with_usage:
                            yield event({**head, "choices": [], "usage": happened.usage})
                apart = not isinstance(happened, Said)
    except ApiError as error:
        if not begun:
            raise
        yield event(error.body())
        return
    yield END


async def _run(runner: Runner, body: dict[str, Any], trace: Carrier) -> AsyncGenerator[Event, None]:
    for field in _NOT_ITS_OWN:
        if body.get(field) is not None:
            raise invalid(f"{field} is set, but an agent's tools are its own, leave it out", field)
    if body.get("n") not in (None, 1):
        raise invalid(f"n is {body['n']!r}, but an agent gives one answer, leave it out", "n")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(each, dict) for each in messages):
        raise invalid("messages is no list of messages, write it as [{role, content}]", "messages")
    options = {name: value for name, value in body.items() if name not in _OWN and value is not None}
    async with aclosing(runner.run(conversation_of(messages), options, trace)) as run:
        async for happened in run:
            yield happened


def _head(runner: Runner, kind: str) -> dict[str, Any]:
    name = runner.settings.pipeline_id
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": name}


def _ended(ended: Ended) -> dict[str, Any]:
    """What an answer says of its end beside what any has."""
    told = {"limit": ended.limit, "branch": ended.branch}
    return {name: value for name, value in told.items() if value}
