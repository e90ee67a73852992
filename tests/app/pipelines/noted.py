"""What a pipeline has noted."""

from serve_app.pipelines.measures import Measures


class Noted(Measures):
    """Metrics that a test can read."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.documents: list[int] = []
        self.counted: dict[str, int] = {}
        self.taken: list[int] = []
        self.failed: list[str] = []

    def part(self, name: str, seconds: float) -> None:
        assert seconds >= 0
        self.parts.append(name)

    def found(self, documents: int) -> None:
        self.documents.append(documents)

    def tokens(self, part: str, count: int) -> None:
        self.counted[part] = self.counted.get(part, 0) + count

    def steps(self, count: int) -> None:
        self.taken.append(count)

    def tool_failed(self, tool: str) -> None:
        self.failed.append(tool)
