import pytest

from serve_app.gateway.metering.chunk_form import ChunkForm

from .samples import in_events, sample

CHUNK = (
    b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],'
    b'"usage":{"prompt_tokens":6,"total_tokens":7,"completion_tokens":1}}\n\n'
)
MARK = b'"finish_reason":null}],"usage":{"prompt_tokens":6,"total_tokens":'


def test_the_form_of_a_chunk() -> None:
    form = ChunkForm.of(CHUNK)
    assert form == ChunkForm(b'data: {"id":"1","choices":[{"index":0,', MARK, MARK.index(b"]"), b"}}\n\n")


def test_tokens_of_reasoning_become_more() -> None:
    for details, end in (
        (b"null", b',"completion_tokens_details":null}}\n\n'),
        (b'{"reasoning_tokens":3}', b"}}}\n\n"),
    ):
        chunk = CHUNK.replace(b'_tokens":1}', b'_tokens":1,"completion_tokens_details":' + details + b"}")
        form = ChunkForm.of(chunk)
        assert form is not None
        assert form.end == end


@pytest.mark.parametrize("name", ["chat", "completions", "chat-n2", "chat-logprobs"])
def test_real_chunks_that_go_on_have_one_form(name: str) -> None:
    events = in_events(sample(f"{name}.continuous.txt"))
    forms = {form for event in events if b'"index":0' in event and (form := ChunkForm.of(event))}
    assert len(forms) == 1


@pytest.mark.parametrize(
    "event",
    [
        CHUNK.replace(b"null}", b'"stop"}'),
        CHUNK.replace(b'"index":0', b'"index":1'),
        CHUNK.replace(b"}}\n\n", b'},"prompt_token_ids":null}\n\n'),
        CHUNK.replace(b"\n", b"\r\n"),
        CHUNK.replace(b"],", b"] ,"),
        CHUNK.replace(b'}],"usage', b'}],"x":{"usage').replace(b"}}\n", b"}}}\n").replace(b'{"usage', b'{,"usage'),
        CHUNK.replace(b',"usage"', b',"used"'),
        b'data: {"choices":[],"usage":{"prompt_tokens":6,"total_tokens":7,"completion_tokens":1}}\n\n',
        b"data: [DONE]\n\n",
        b"",
    ],
)
def test_other_events_have_none(event: bytes) -> None:
    assert ChunkForm.of(event) is None
