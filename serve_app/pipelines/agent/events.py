"""What happens while an agent answers; both APIs tell it to the client in their own words."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal

Reason = Literal["stop", "length", "content_filter"]
Limit = Literal["", "steps", "tokens", "seconds"]


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of text."""

    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """The model calls a tool."""

    id: str
    source: str
    """The server, pipeline or HTTP tool that the tool is of; empty where the model has made the name up."""
    name: str
    arguments: str
    """As JSON."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A call has come to its end."""

    call: Called
    output: str
    failed: bool

    def shown(self) -> dict[str, Any]:
        """As an answer's `steps` has it."""
        call = self.call
        told = {"id": call.id, "source": call.source, "name": call.name, "arguments": call.arguments}
        return {**told, "output": self.output, "failed": self.failed}


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer has come to its end."""

    reason: Reason
    limit: Limit
    """The pipeline's limit that has ended it, if one has."""
    usage: dict[str, Any]
    """A chat completion's, of all models and all steps."""
    branch: str
    conversation: bytes
    """All of it, to go on from; empty where it ended in the middle of a step."""


Event = Said | Called | Returned | Ended
Events = AsyncGenerator[Event, None]
"""Closed where a client leaves, which ends the model's and the tools' work."""
