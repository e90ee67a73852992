from typing import Any

import pytest

from serve_app.gateway.api.table import ALL_APIS, APIS
from serve_app.gateway.exchange.endpoints import Endpoint, Endpoints, Origin, has
from serve_app.settings.gateway import Model

CHAT = "/v1/chat/completions"
STORED = "/v1/responses/resp_1"


def endpoints(**entry: Any) -> Endpoints:
    return Endpoints(Model.model_validate(entry))


@pytest.mark.parametrize(
    ("url", "origin", "authority", "root"),
    [
        ("http://h/models/a/", Origin("h", 80, False), b"h", b"/models/a"),
        ("https://h", Origin("h", 443, True), b"h", b""),
        ("http://H:8000", Origin("h", 8000, False), b"h:8000", b""),
        ("http://[::1]:8000/x", Origin("::1", 8000, False), b"[::1]:8000", b"/x"),
        (
            "http://xn--mller-kva.de/%C3%BC%20b",
            Origin("xn--mller-kva.de", 80, False),
            b"xn--mller-kva.de",
            b"/%C3%BC%20b",
        ),
    ],
)
def test_where_a_models_url_leads(url: str, origin: Origin, authority: bytes, root: bytes) -> None:
    found = endpoints(url=url).at(CHAT)
    assert found == Endpoint(origin, authority, root + CHAT.encode())
    assert found.url == (b"https://" if origin.tls else b"http://") + authority + found.target


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("https://h/v1", CHAT, b"/v1/chat/completions"),
        ("https://h/v1beta/openai/", CHAT, b"/v1beta/openai/chat/completions"),
        ("https://h", CHAT, b"/chat/completions"),
        ("https://h/v4", STORED + "/cancel", b"/v4/responses/resp_1/cancel"),
    ],
)
def test_a_base_url_stands_for_v1(base: str, path: str, target: bytes) -> None:
    assert endpoints(baseUrl=base).at(path).target == target


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_all_paths_of_an_api_lead_to_the_one_below_a_base_url(path: str) -> None:
    provider = endpoints(baseUrl="https://h/api", task="score")
    assert path in provider
    assert provider.at(path).target == b"/api/rerank"
    assert endpoints(url="https://h", task="score").at(path).target == path.encode()


def test_what_is_only_outside_of_v1_is_not_below_a_base_url() -> None:
    entry = Model(baseUrl="https://h/v1")
    assert {api.name for api in ALL_APIS if has(entry, api)} == {
        *("chat_completions", "completions", "responses", "messages", "count_tokens"),
        *("responses_retrieve", "responses_cancel"),
    }
    assert "/tokenize" not in Endpoints(entry)


def test_a_model_has_the_apis_that_are_listed() -> None:
    entry = Model(url="https://h", apis=["chat_completions", "responses"])
    names = {api.name for api in ALL_APIS if has(entry, api)}
    assert names == {"chat_completions", "responses", "responses_retrieve", "responses_cancel"}
    assert {path for path in APIS if path in Endpoints(entry)} == {CHAT, "/v1/responses"}


def test_the_models_own_query() -> None:
    azure = endpoints(baseUrl="https://h/openai", query={"api-version": "2024-10-21", "a b": "ü&"})
    own = b"api-version=2024-10-21&a+b=%C3%BC%26"
    assert azure.at(CHAT).target == b"/openai/chat/completions?" + own
    assert azure.at(CHAT, "x=1").target == azure.at(CHAT).target
    assert azure.at(STORED).target == b"/openai/responses/resp_1?" + own
    theirs = "stream=true&api-version=1&api%2Dversion=2&api-version&&a+b=c&y=%C3%BC"
    assert azure.at(STORED, theirs).target == b"/openai/responses/resp_1?stream=true&y=%C3%BC&" + own


def test_a_callers_query_goes_to_a_model_as_it_came() -> None:
    assert endpoints(url="http://h").at(STORED, "a=%2F&b=%zz&\xe9").target == STORED.encode() + b"?a=%2F&b=%zz&\xe9"


def test_only_the_configurations_own_endpoints_are_kept() -> None:
    model = endpoints(url="http://h")
    assert model.at(CHAT) is model.at(CHAT)
    assert model.at(STORED, "a=b") is not model.at(STORED, "a=b")
