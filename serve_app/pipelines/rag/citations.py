"""Where an answer names its sources: `[1]` in its text is the first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from serve_app.pipelines.rag.source import Source

_MARKER = re.compile(r"\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]")


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that an answer names, and where: characters `start` to `end` of its text."""

    source: Source
    start: int
    end: int

    def as_url_citation(self) -> dict[str, Any]:
        """As an annotation of a chat completion's message."""
        place = {"start_index": self.start, "end_index": self.end}
        return {"type": "url_citation", "url_citation": {**place, "url": self.source.url, "title": self.source.title}}

    def as_file_citation(self) -> dict[str, Any]:
        """As an annotation of an output text of the responses API."""
        return {
            "type": "file_citation",
            "index": self.start,
            "file_id": self.source.file_id,
            "filename": self.source.filename,
        }


def citations(text: str, sources: Sequence[Source]) -> list[Citation]:
    """The citations of an answer in their order; of one that names no source, each that it was given, at its end."""
    found: list[Citation] = []
    for marker in _MARKER.finditer(text):
        numbers = (int(number) for number in marker[1].split(","))
        cited = (sources[number - 1] for number in numbers if 1 <= number <= len(sources))
        found.extend(Citation(source, marker.start(), marker.end()) for source in cited)
    if found or not text:
        return found
    return [Citation(source, len(text), len(text)) for source in sources]
