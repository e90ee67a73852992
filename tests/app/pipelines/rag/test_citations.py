"""Citations in an answer's text."""

import pytest

from serve_app.pipelines.rag.citations import citations
from serve_app.pipelines.rag.source import Source

ONE = Source("file-1", "one.md", 0.9, "text", {"url": "https://example.com/one", "title": "One"})
TWO = Source("file-2", "two.md", 0.8, "text")


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("So [1] and so [2].", [("file-1", 3, 6), ("file-2", 14, 17)]),
        ("Both [1, 2].", [("file-1", 5, 11), ("file-2", 5, 11)]),
        ("Twice [2][2].", [("file-2", 6, 9), ("file-2", 9, 12)]),
        ("None of ours [3] [0] [12].", [("file-1", 26, 26), ("file-2", 26, 26)]),
        ("An array a[1] too.", [("file-1", 10, 13)]),
        ("", []),
    ],
)
def test_places(text: str, cited: list[tuple[str, int, int]]) -> None:
    found = citations(text, [ONE, TWO])
    assert [(each.source.file_id, each.start, each.end) for each in found] == cited


def test_a_documents_own_address_and_title() -> None:
    (citation,) = citations("So [1].", [ONE])
    assert citation.as_url_citation() == {
        "type": "url_citation",
        "url_citation": {"start_index": 3, "end_index": 6, "url": "https://example.com/one", "title": "One"},
    }
