"""Server-sent events of a model's stream, read and written."""

import json
from collections.abc import AsyncIterator
from typing import Any

LONGEST_EVENT = 1024 * 1024
"""Bytes of one event; a chunk with many log probabilities has some ten thousand."""
DONE = "[DONE]"


class EventTooLongError(ValueError):
    """A stream that does not come to the end of an event."""


async def data_of(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The data of each event; comments are left out.

    Args:
        pieces: The stream as it arrives.

    Raises:
        EventTooLongError: An event has more than `LONGEST_EVENT` bytes.
    """
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip().decode("utf-8", "replace")
        if len(rest) > LONGEST_EVENT:
            raise EventTooLongError(f"an event of the stream has more than {LONGEST_EVENT} bytes")


def event(data: dict[str, Any], name: str = "") -> bytes:
    """An event with JSON data, and a name where its API has them."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


END = f"data: {DONE}\n\n".encode()
