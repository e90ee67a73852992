import json
from typing import Any

import pytest

from serve_app.gateway.access.estimate import NOTHING, TOKENS_PER_FILE, Estimate, estimate
from serve_app.gateway.api.table import APIS, CANCEL, RETRIEVE
from serve_app.gateway.exchange.endpoints import Endpoints
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.http.body import Body
from serve_app.gateway.http.envelope import Envelope, envelope_of
from serve_app.settings.gateway import Model

CHAT = APIS["/v1/chat/completions"]
DEFAULT = 1000


def target(**fields: Any) -> Target:
    entry = Model.model_validate({"url": "http://a", **fields})
    return Target("a", "", entry, "a", Endpoints(entry))


def estimated(content: dict[str, Any], *targets: Target, path: str = "/v1/chat/completions") -> Estimate:
    api = APIS[path]
    raw = json.dumps({"model": "a", **content}).encode()
    return estimate(api, Body(raw, envelope=envelope_of(raw, streams=api.streams)), targets or (target(),), DEFAULT)


def test_a_prompt_is_a_token_for_four_bytes() -> None:
    raw = b'{"model": "a", "messages": []}'
    assert len(raw) == 30
    assert estimate(CHAT, Body(raw, envelope=envelope_of(raw, streams=True)), (target(),), DEFAULT).prompt == 8


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, DEFAULT),
        ({"max_tokens": 7}, 7),
        ({"max_completion_tokens": 9, "max_tokens": 7}, 9),
        ({"max_output_tokens": 8}, 8),
        ({"max_tokens": 7, "n": 3}, 21),
        ({"n": 2}, 2 * DEFAULT),
        ({"max_tokens": 7, "n": 10**9}, 7 * 128),
        ({"max_tokens": -1}, DEFAULT),
        ({"max_tokens": None, "n": None}, DEFAULT),
        ({"max_tokens": "many", "n": -4}, DEFAULT),
        ({"max_tokens": 7, "n": 0}, 7),
    ],
)
def test_the_answer_is_what_the_body_allows(fields: dict[str, Any], output: int) -> None:
    assert estimated(fields).output == output


def test_files_in_a_body_are_no_text() -> None:
    def messages(*sizes: int) -> dict[str, Any]:
        parts = [{"image_url": {"url": f"data:image/png;base64,{'A' * size}"}} for size in sizes]
        return {"messages": [{"role": "user", "content": parts}]}

    empty = estimated(messages(0, 0)).prompt
    assert empty >= 2 * TOKENS_PER_FILE
    assert estimated(messages(40_000, 80_000)).prompt == empty
    raw = b'{"model": "a", "x": ";base64,'
    assert estimate(CHAT, Body(raw, envelope=Envelope(model="a")), (), DEFAULT).prompt == -(-len(raw) // 4), (
        "it does not end"
    )


def test_a_body_full_of_files_is_looked_at_up_to_a_bound() -> None:
    parts = [";base64,AAAA"] * 5000
    prompt = estimated({"input": parts}).prompt
    assert 1000 * TOKENS_PER_FILE < prompt < 1000 * TOKENS_PER_FILE + 5000 * 16


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ((100,), (30, 70)),
        ((100, 200), (30, 170)),
        ((100, None), (30, 5000)),
        ((20,), (20, 0)),
    ],
)
def test_prompt_and_answer_fit_in_the_largest_context(lengths: tuple[int | None, ...], sizes: tuple[int, int]) -> None:
    raw = b'{"model": "a", "max_tokens": 5000, "x": "'
    raw += b"x" * (120 - len(raw) - 2) + b'"}'
    targets = [target(contextLength=length) for length in lengths]
    found = estimate(CHAT, Body(raw, envelope=envelope_of(raw, streams=True)), targets, DEFAULT)
    assert (found.prompt, found.output) == sizes
    assert found.tokens == sum(sizes)


def test_each_of_several_answers_may_fill_the_context() -> None:
    assert estimated({"max_tokens": 500, "n": 3}, target(contextLength=100)).output > 3 * 80


def test_the_cost_is_that_of_the_dearest_model() -> None:
    cheap = target(price={"promptPerMillion": 0.1, "completionPerMillion": 0.5})
    dear = target(price={"promptPerMillion": 2, "completionPerMillion": 10})
    found = estimated({"max_tokens": 100}, cheap, dear, target())
    assert found.cost == found.prompt * 2 + 100 * 10
    assert estimated({"max_tokens": 100}, cheap).cost == round(found.prompt * 0.1 + 50 + 0.5)
    assert estimated({}).cost == 0


@pytest.mark.parametrize("path", ["/v1/embeddings", "/rerank", "/score", "/pooling"])
def test_what_generates_nothing_has_no_answer(path: str) -> None:
    found = estimated({"input": "text", "max_tokens": 50}, path=path)
    assert (found.prompt > 0, found.output) == (True, 0)


def test_what_takes_no_tokens_is_nothing() -> None:
    assert estimated({}, path="/tokenize") == estimated({}, path="/v1/messages/count_tokens") == NOTHING
    for api in (RETRIEVE, CANCEL):
        assert estimate(api, Body(b"", envelope=Envelope()), (target(),), DEFAULT) == NOTHING
    assert estimated({"background": True}, path="/v1/responses") == NOTHING, "it is charged when it is retrieved"


def test_the_sound_of_a_form_is_no_text() -> None:
    body = Body(b"x" * 10**6, envelope=Envelope(model="a"))
    assert estimate(APIS["/v1/audio/transcriptions"], body, (target(),), DEFAULT) == Estimate(0, DEFAULT, 0)
