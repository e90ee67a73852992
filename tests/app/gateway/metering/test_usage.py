"""What models are asked for; `test_event_stream` and others have what is read."""

from typing import Any

import msgspec
import pytest

from serve_app.gateway.exchange.usage import NO_REQUEST, UsageRequest
from serve_app.gateway.http.envelope import envelope_of
from serve_app.gateway.metering.usage import usage_request

from .samples import BY_NAME

CHAT = BY_NAME["chat_completions"]
ASKED = {"include_usage": True, "continuous_usage_stats": True}


def asked(payload: dict[str, Any], api: str = "chat_completions") -> UsageRequest:
    envelope = envelope_of(msgspec.json.encode({"model": "a", **payload}), streams=BY_NAME[api].streams)
    return usage_request(BY_NAME[api], envelope, stream=bool(payload.get("stream")))


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
    ids=str,
)
def test_streams_are_asked_for_their_usage_all_along(api: str, options: dict[str, Any], sent: object) -> None:
    request = asked({"stream": True, **options}, api)
    assert request.changes(False) == {"stream_options": sent}
    assert (request.strip_chunks, request.strip_total) == (True, True)


def test_a_provider_is_asked_for_its_usage_at_the_end() -> None:
    assert asked({"stream": True}).changes(True) == {"stream_options": {"include_usage": True}}
    assert asked({"stream": True, "stream_options": {"include_usage": True}}).changes(True) == {}


@pytest.mark.parametrize("yes", [True, 1, "yes"])
def test_who_asks_for_the_end_gets_the_end(yes: object) -> None:
    request = asked({"stream": True, "stream_options": {"include_usage": yes}})
    assert request.changes(False) == {"stream_options": ASKED}
    assert (request.strip_chunks, request.strip_total) == (True, False)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"stream": False},
        {"stream": None, "stream_options": None},
        {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}},
        {"stream": True, "stream_options": {"include_usage": "maybe"}},
        {"stream": True, "stream_options": {"include_usage": {}}},
        {"stream": False, "stream_options": {}},
    ],
    ids=str,
)
def test_what_asks_itself_or_is_no_stream_or_is_refused_stays_as_it_is(payload: dict[str, Any]) -> None:
    assert asked(payload) == NO_REQUEST
    assert asked(payload).changes(False) == {}


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"chat_completions", "completions"}))
def test_other_apis_report_by_themselves(name: str) -> None:
    assert asked({"stream": True}, name) == NO_REQUEST
