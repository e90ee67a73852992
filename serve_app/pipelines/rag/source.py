"""What a question finds. Both ends of a call between parts know these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serve_app.pipelines.tracing import Carrier


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, and what the request narrows down of the pipeline's own settings."""

    text: str
    filters: Mapping[str, Any] | None = None
    keep: int | None = None
    min_score: float | None = None
    trace: Carrier = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A part of a document that was found."""

    file_id: str
    filename: str
    score: float
    text: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the document is: its attribute `url`, else its content at the gateway."""
        url = self.attributes.get("url")
        return url if isinstance(url, str) and url else f"/v1/files/{self.file_id}/content"

    @property
    def title(self) -> str:
        """Its attribute `title`, else the file's name."""
        title = self.attributes.get("title")
        return title if isinstance(title, str) and title else self.filename

    def shown(self, number: int) -> dict[str, Any]:
        """As an answer's `sources` has it; the number is the one that the prompt gave it."""
        return {
            "index": number,
            "file_id": self.file_id,
            "filename": self.filename,
            "score": self.score,
            "attributes": dict(self.attributes),
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The best sources, best first, and the tokens that finding them took."""

    sources: tuple[Source, ...]
    tokens: int = 0
