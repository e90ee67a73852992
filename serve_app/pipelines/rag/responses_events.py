"""The events of a streamed response, in the order and with the numbers that clients of the responses API expect."""

from collections.abc import Iterator
from typing import Any

from serve_app.pipelines.sse import event

_SEARCH, _MESSAGE = 0, 1
"""Places in the response's output."""


class ResponseEvents:
    """Makes the events of one response."""

    def __init__(self, response: dict[str, Any], search: dict[str, Any], message: dict[str, Any]) -> None:
        """Begins.

        Args:
            response: As it begins.
            search: Its item of the file search.
            message: Its item of the message, before it has content.
        """
        self._response = response
        self._search = search
        self._message = message
        self._number = 0

    def beginning(self) -> Iterator[bytes]:
        """All events before the first text: the search has been made by then."""
        yield self._event("response.created", response=self._response)
        yield self._event("response.in_progress", response=self._response)
        searching = {**self._search, "status": "in_progress", "results": None}
        yield self._event("response.output_item.added", output_index=_SEARCH, item=searching)
        for kind in ("in_progress", "searching", "completed"):
            yield self._event(f"response.file_search_call.{kind}", output_index=_SEARCH, item_id=self._search["id"])
        yield self._event("response.output_item.done", output_index=_SEARCH, item=self._search)
        yield self._event("response.output_item.added", output_index=_MESSAGE, item=self._message)
        empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        yield self._of_text("response.content_part.added", part=empty)

    def delta(self, text: str) -> bytes:
        """A piece of the text."""
        return self._of_text("response.output_text.delta", delta=text, logprobs=[])

    def end(self, response: dict[str, Any]) -> Iterator[bytes]:
        """All events after the last text.

        Args:
            response: The whole response.
        """
        message = response["output"][_MESSAGE]
        part = message["content"][0]
        for place, annotation in enumerate(part["annotations"]):
            yield self._of_text("response.output_text.annotation.added", annotation_index=place, annotation=annotation)
        yield self._of_text("response.output_text.done", text=part["text"], logprobs=[])
        yield self._of_text("response.content_part.done", part=part)
        yield self._event("response.output_item.done", output_index=_MESSAGE, item=message)
        yield self._event(f"response.{response['status']}", response=response)

    def failed(self, response: dict[str, Any], error: dict[str, Any]) -> bytes:
        """The last event of a response that could not be finished.

        Args:
            response: As it began.
            error: What is wrong, as OpenAI's error object.
        """
        said = {"code": error.get("code") or "server_error", "message": error.get("message") or ""}
        return self._event("response.failed", response={**response, "status": "failed", "error": said})

    def _of_text(self, kind: str, **fields: Any) -> bytes:  # noqa: ANN401 - of each event its own
        place = {"item_id": self._message["id"], "output_index": _MESSAGE, "content_index": 0}
        return self._event(kind, **place, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:  # noqa: ANN401
        number, self._number = self._number, self._number + 1
        return event({"type": kind, "sequence_number": number, **fields}, kind)
