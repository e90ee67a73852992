"""ASGI's receiving side, as a test wants it."""

import asyncio

from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive

from serve_app.gateway.http.body_memory import BodyMemory, BodyShare

JSON = {b"content-type": b"application/json"}


def memory(most_bytes: int = 1 << 30) -> BodyMemory:
    """Room for bodies."""
    return BodyMemory(lambda: most_bytes, CollectorRegistry())


def share() -> BodyShare:
    """Room for one."""
    return memory().share()


def receiving(*pieces: bytes | None) -> Receive:
    """ASGI's receive for a body in pieces; None is a client that leaves."""
    messages: list[Message] = [
        {"type": "http.disconnect"}
        if piece is None
        else {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1}
        for index, piece in enumerate(pieces)
    ]

    async def receive() -> Message:
        return messages.pop(0)

    return receive


def stalling(*pieces: bytes) -> Receive:
    """The same for a client that then sends nothing any more."""
    messages: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive
