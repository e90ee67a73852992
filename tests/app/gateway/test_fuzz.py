"""The gateway's own OpenAPI document, and whatever bytes, sent to a real gateway: it never fails by itself."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serve_app.gateway.api import schemas
from serve_app.gateway.api.paths import place_of
from serve_app.gateway.api.table import APIS, find, shape_of

from .fuzz_requests import (
    ANY_BODY,
    ANY_CONTENT_TYPE,
    BODIES,
    CONTENT_TYPES,
    METHODS,
    MORE,
    OPERATIONS,
    PATHS,
    TASKS,
    broken,
)
from .support import KEY, FakeModel, running_gateway

OPEN = ("/healthz", "/readyz", "/health", "/ping", "/version")
NOTHING_TO_GET_WRONG = ("/v1/limits", *OPEN)
NO_REQUEST = b'{"error":{"message":"This is not a valid HTTP request.'
HEADERS = {"authorization": f"Bearer {KEY}"}
SCHEMAS = {
    "openai": Draft202012Validator(schemas.ERROR),
    "responses": Draft202012Validator(schemas.ERROR),
    "anthropic": Draft202012Validator(schemas.ANTHROPIC_ERROR),
}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=30,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Running:
    """A gateway in a thread of its own. Its model never fails, so that every failure is the gateway's."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of what came to the model."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path.removeprefix("/models/a")))
        if b'"stream":true' in (await request.read()).replace(b" ", b""):
            return web.Response(body=b'data: {"choices":[]}\n\ndata: [DONE]\n\n', content_type="text/event-stream")
        return web.json_response({"id": "resp_1", "usage": {"prompt_tokens": 1, "total_tokens": 1}})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running()
    started: Future[Running] = Future()
    end = threading.Event()

    async def serve(folder: Path) -> None:
        async with FakeModel([running.answer]).running() as model:
            config = {"models": {name: {"url": model.url, "task": task} for name, task in TASKS.items()}}
            async with running_gateway(folder, config | {"limits": {"bodySeconds": 5}}) as gateway:
                running.url = gateway.url
                started.set_result(running)
                await asyncio.to_thread(end.wait)

    def work() -> None:
        try:
            asyncio.run(serve(tmp_path_factory.mktemp("gateway")))
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield started.result(timeout=30)
    finally:
        end.set()
        thread.join(timeout=30)


def named_models(content: Any) -> Any:
    """The document with the names of these models, one that is missing, and what else a string may be."""
    if isinstance(content, list):
        return [named_models(item) for item in content]
    if not isinstance(content, dict):
        return content
    named = {key: named_models(value) for key, value in content.items()}
    if isinstance(named.get("properties"), dict) and "model" in named["properties"]:
        model = named["properties"]["model"]
        named["properties"] |= {"model": {"anyOf": [{"enum": [*TASKS, "missing"]}] * 4 + [model]}}
    return named


@pytest.fixture(scope="module")
def document(running: Running) -> dict[str, Any]:
    answer = requests.get(f"{running.url}/openapi.json", headers=HEADERS, timeout=10)
    return named_models(answer.json())


@pytest.fixture(scope="module")
def api(document: dict[str, Any]) -> Any:
    return schemathesis.openapi.from_dict(document)


def keeps_the_promises(running: Running, response: Response) -> None:
    """What holds for every answer."""
    path = unquote(urlsplit(response.request.url).path)
    assert response.status_code < 500, response.text
    assert "x-request-id" in response.headers or path in OPEN
    if response.status_code >= 400 and response.request.method != "HEAD":
        sent = {name.lower().encode(): b"" for name in response.request.headers}
        SCHEMAS[shape_of(place_of(path).path, sent)].validate(response.json())
    while running.asked:
        assert find(*running.asked.pop())


@pytest.mark.parametrize(
    ("mode", "method", "path"),
    [
        (mode.value, method, path)
        for mode in schemathesis.GenerationMode
        for method, path in OPERATIONS
        if mode.is_positive or path not in NOTHING_TO_GET_WRONG
    ],
)
def test_the_document_is_kept(mode: str, method: str, path: str, api: Any, running: Running) -> None:
    generation_mode = schemathesis.GenerationMode(mode)

    @BOUNDED
    @given(case=api[path][method].as_strategy(generation_mode=generation_mode))
    def try_one(case: schemathesis.Case[Any]) -> None:
        response = case.call(base_url=running.url, headers=HEADERS)
        case.validate_response(response, checks=CHECKS)
        keeps_the_promises(running, response)

    try_one()


def ask(running: Running, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> int:
    """Sends bytes that no client library would write; returns the status, once the answer keeps the promises."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"host: x", b"connection: close", b"content-length: %d" % len(body)]
    lines += [b"%s: %s" % header for header in ({b"authorization": f"Bearer {KEY}".encode()} | headers).items()]
    connection = HTTPConnection(urlsplit(running.url).netloc, timeout=20)
    with closing(connection):
        connection.connect()
        connection.sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        answer = HTTPResponse(connection.sock, method=method)
        answer.begin()
        content = answer.read()
    assert answer.status < 500, content
    decoded = unquote(path.partition("?")[0])
    assert answer.headers["x-request-id"] or decoded in OPEN
    if answer.status >= 400 and method != "HEAD":
        # What cannot even be parsed is told in OpenAI's shape, whoever asks.
        shape = "openai" if content.startswith(NO_REQUEST) else shape_of(place_of(decoded).path, headers)
        SCHEMAS[shape].validate(json.loads(content))
    while running.asked:
        assert find(*running.asked.pop())
    return answer.status


@settings(BOUNDED, max_examples=300)
@given(method=METHODS, path=PATHS, headers=MORE, content_type=ANY_CONTENT_TYPE, body=ANY_BODY)
def test_whatever_is_sent_is_answered(
    method: str, path: str, headers: dict[bytes, bytes], content_type: bytes, body: bytes, running: Running
) -> None:
    ask(running, method, path, headers | {b"content-type": content_type}, body)


@pytest.mark.parametrize("path", APIS)
def test_whatever_is_in_a_body_is_answered(path: str, running: Running) -> None:
    kind = APIS[path].body
    told = set()

    @settings(BOUNDED, max_examples=100)
    @given(body=BODIES[kind], place=st.none() | st.integers(0, 200), piece=st.binary(min_size=1, max_size=3))
    def try_one(body: bytes, place: int | None, piece: bytes) -> None:
        sent = body if place is None else broken(body, place, piece)
        told.add(ask(running, "POST", path, {b"content-type": CONTENT_TYPES[kind]}, sent))

    try_one()
    assert {200, 400} <= told


def test_all_operations_are_asked(api: Any) -> None:
    assert {(found.ok().method.upper(), found.ok().path) for found in api.get_all_operations()} == set(OPERATIONS)
