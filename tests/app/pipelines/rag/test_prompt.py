"""Documents in a conversation."""

from hypothesis import given
from hypothesis import strategies as st

from serve_app.pipelines.rag.prompt import fitting, numbered, question_of, with_documents
from serve_app.pipelines.rag.source import Source

TEMPLATE = "D: {documents} Q: {question}"


def source(text: str, **attributes: str) -> Source:
    return Source("file-1", "a.md", 0.5, text, attributes)


def test_only_the_last_message_changes() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "two", "name": "ann"},
    ]
    changed = with_documents(messages, TEMPLATE, "d")
    assert changed[:3] == messages[:3]
    assert changed[3] == {"role": "user", "content": "D: d Q: two", "name": "ann"}
    assert messages[3]["content"] == "two"


def test_images_stay() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "what?"}, image]}]
    assert question_of(messages) == "what?"
    assert with_documents(messages, TEMPLATE, "d")[0]["content"] == [{"type": "text", "text": "D: d Q: what?"}, image]


@given(st.text(alphabet="{}questiondm "))
def test_braces_of_documents_and_questions_are_text(text: str) -> None:
    changed = with_documents([{"role": "user", "content": f"q{text}q"}], TEMPLATE, text)
    assert changed[0]["content"] == f"D: {text} Q: q{text}q"


@given(st.lists(st.text(max_size=40), max_size=6), st.integers(min_value=1, max_value=100))
def test_documents_fit(texts: list[str], characters: int) -> None:
    kept = fitting([source(text) for text in texts], characters)
    assert sum(len(each.text) for each in kept) <= characters
    assert bool(kept) == bool(texts)
    assert [each.text for each in kept[1:]] == texts[1 : len(kept)]


def test_documents_have_numbers_and_titles() -> None:
    assert numbered([source("one"), source("two", title="Two")]) == "[1] a.md\none\n\n[2] Two\ntwo"
