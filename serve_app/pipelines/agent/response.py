"""A response in the making, and its events in the order and with the numbers that clients expect."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from serve_app.pipelines.agent.events import Called, Ended, Returned
from serve_app.pipelines.sse import event
from serve_app.pipelines.usage import of_responses

Item = dict[str, Any]
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Response:
    """One response."""

    def __init__(self, name: str, echoed: dict[str, Any], previous: str | None, *, store: bool) -> None:
        """Begins.

        Args:
            name: The agent's.
            echoed: Fields of the request that it repeats.
            previous: The response that it goes on from.
            store: Whether the next one may go on from it.
        """
        self.id = f"resp_{uuid.uuid4().hex}"
        self.store = store
        self._output: list[Item] = []
        self._calls: dict[str, int] = {}
        self._message: int | None = None
        """Place of the message whose text is coming."""
        self._number = 0
        self._state: dict[str, Any] = {"status": "in_progress", "incomplete_details": None, "usage": None}
        self._head: Item = {
            "id": self.id,
            "object": "response",
            "created_at": int(time.time()),
            "model": name,
            "error": None,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "previous_response_id": previous,
            **echoed,
        }

    def shown(self) -> dict[str, Any]:
        """As it is now."""
        return {**self._head, **self._state, "store": self.store, "output": [dict(item) for item in self._output]}

    def beginning(self) -> Iterator[bytes]:
        """The events before anything has happened."""
        yield self._event("response.created", response=self.shown())
        yield self._event("response.in_progress", response=self.shown())

    def said(self, text: str) -> Iterator[bytes]:
        """A piece of text."""
        if self._message is None:
            self._message = len(self._output)
            part: Item = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            item: Item = {"type": "message", "id": _id("msg"), "status": "in_progress", "role": "assistant"}
            self._output.append({**item, "content": [part]})
            yield self._event("response.output_item.added", output_index=self._message, item={**item, "content": []})
            yield self._of_text("response.content_part.added", part=dict(part))
        self._output[self._message]["content"][0]["text"] += text
        yield self._of_text("response.output_text.delta", delta=text, logprobs=[])

    def called(self, call: Called) -> Iterator[bytes]:
        """A call of a tool has begun."""
        yield from self._message_done("completed")
        place = self._calls[call.id] = len(self._output)
        item: Item = {
            "type": "mcp_call",
            "id": _id("mcp"),
            "status": "in_progress",
            "server_label": call.source,
            "name": call.name,
            "arguments": call.arguments,
            "output": None,
            "error": None,
        }
        self._output.append(item)
        where = {"output_index": place, "item_id": item["id"]}
        yield self._event("response.output_item.added", output_index=place, item=dict(item))
        yield self._event("response.mcp_call.in_progress", **where)
        yield self._event("response.mcp_call_arguments.done", **where, arguments=call.arguments)

    def returned(self, result: Returned) -> Iterator[bytes]:
        """A call has come to its end."""
        place = self._calls[result.call.id]
        item = self._output[place]
        if result.failed:
            content = [{"type": "text", "text": result.output}]
            item |= {"status": "failed", "error": {"type": "mcp_tool_execution_error", "content": content}}
        else:
            item |= {"status": "completed", "output": result.output}
        yield self._event(f"response.mcp_call.{item['status']}", output_index=place, item_id=item["id"])
        yield self._event("response.output_item.done", output_index=place, item=dict(item))

    def ended(self, ended: Ended) -> Iterator[bytes]:
        """The answer has come to its end."""
        status = "incomplete" if ended.reason in _INCOMPLETE else "completed"
        yield from self._message_done(status)
        for item in self._output:
            if item["status"] == "in_progress":  # calls that a limit has ended
                item["status"] = "incomplete"
        details: Item | None = None
        if status == "incomplete":
            details = {"reason": _INCOMPLETE[ended.reason]} | ({"limit": ended.limit} if ended.limit else {})
        self._state = {"status": status, "incomplete_details": details, "usage": of_responses(ended.usage)}
        if ended.branch:
            self._state["branch"] = ended.branch
        yield self._event(f"response.{status}", response=self.shown())

    def failed(self, error: dict[str, Any]) -> bytes:
        """The last event of a response that could not be finished."""
        said = {"code": error.get("code") or "server_error", "message": error.get("message") or ""}
        return self._event("response.failed", response={**self.shown(), "status": "failed", "error": said})

    def _message_done(self, status: str) -> Iterator[bytes]:
        if self._message is None:
            return
        item = self._output[self._message]
        item["status"] = status
        part = item["content"][0]
        yield self._of_text("response.output_text.done", text=part["text"], logprobs=[])
        yield self._of_text("response.content_part.done", part=dict(part))
        yield self._event("response.output_item.done", output_index=self._message, item=dict(item))
        self._message = None

    def _of_text(self, kind: str, **fields: Any) -> bytes:  # noqa: ANN401 - of each event its own
        assert self._message is not None  # noqa: S101 - there is text
        place = {"item_id": self._output[self._message]["id"], "output_index": self._message, "content_index": 0}
        return self._event(kind, **place, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:  # noqa: ANN401
        number, self._number = self._number, self._number + 1
        return event({"type": kind, "sequence_number": number, **fields}, kind)


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex}"
