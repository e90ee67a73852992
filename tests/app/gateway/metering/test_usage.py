"""What models are asked for; `test_event_stream` and `test_whole_answer` have what is read."""

from typing import Any

import pytest

from serve_app.gateway.http.envelope import Envelope
from serve_app.gateway.metering.usage import ask_for_usage

from .samples import BY_NAME

CHAT = BY_NAME["chat_completions"]
ASKED = {"include_usage": True}


@pytest.mark.parametrize("api", ["chat_completions", "completions"])
@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, ASKED),
        ({"stream_options": None}, ASKED),
        ({"stream_options": {}}, ASKED),
        ({"stream_options": {"include_usage": False}}, ASKED),
        ({"stream_options": {"include_usage": None, "x": 1}}, ASKED | {"x": 1}),
        ({"stream_options": {"include_usage": "no"}}, ASKED),
        ({"stream_options": {"continuous_usage_stats": True}}, ASKED),
    ],
)
def test_streams_are_asked_for_their_usage(api: str, options: dict[str, Any], sent: object) -> None:
    assert ask_for_usage(BY_NAME[api], Envelope(model="a", stream=True, **options)) == {"stream_options": sent}


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"stream": False},
        {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}},
        {"stream": True, "stream_options": {"include_usage": 1}},
        {"stream": True, "stream_options": {"include_usage": "maybe"}},
        {"stream": True, "stream_options": {"include_usage": {}}},
        {"stream": False, "stream_options": {}},
    ],
)
def test_what_asks_itself_or_is_no_stream_or_is_refused_stays_as_it_is(envelope: dict[str, Any]) -> None:
    assert not ask_for_usage(CHAT, Envelope(**envelope))


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"chat_completions", "completions"}))
def test_other_apis_report_by_themselves(name: str) -> None:
    assert not ask_for_usage(BY_NAME[name], Envelope(stream=True))
