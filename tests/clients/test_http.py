"""Clients that are no SDK: bare sockets, curl, HTTP/1.0, browsers' preflights, probes."""

import json
import re
import socket
import subprocess
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.clients.conftest import KEY, ORIGIN
from tests.clients.test_openai import RAY

ASK: dict[str, Any] = {
    "model": "sparrow",
    "temperature": 0,
    "max_tokens": 200,
    "messages": [{"role": "user", "content": RAY}],
}
BODY = json.dumps(ASK).encode()
HEAD = (
    "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
    f"authorization: Bearer {KEY}\r\ncontent-length: {{length}}\r\nconnection: close, upgrade\r\n"
    "upgrade: {upgrade}\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
)


def connect(gateway: str) -> socket.socket:
    """A connection, as a client without a library has it."""
    place = urlsplit(gateway)
    return socket.create_connection((place.hostname, place.port), timeout=60)


def answers_of(connection: socket.socket) -> bytes:
    """All that comes until the gateway closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("upgrade", ["h2c", "websocket", "foo"])
@pytest.mark.parametrize("later", [False, True], ids=["body with the head", "body later"])
def test_an_upgrade_is_ignored(gateway: str, upgrade: str, later: bool, answers: dict[str, str]) -> None:
    """RFC 9110, 7.8: a server may ignore it, and answers the request by HTTP/1.1."""
    with connect(gateway) as connection:
        head = HEAD.format(length=len(BODY), upgrade=upgrade).encode()
        if later:
            connection.sendall(head)
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(60)
            connection.sendall(BODY)
        else:
            connection.sendall(head + BODY)
        answer = answers_of(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answers[RAY].encode() in answer


def test_the_body_of_an_upgrade_is_no_request(gateway: str) -> None:
    """A body that reads like a request is refused as a body, and nothing else is answered."""
    smuggled = f"GET /v1/models HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\n\r\n".encode()
    with connect(gateway) as connection:
        connection.sendall(HEAD.format(length=len(smuggled), upgrade="h2c").encode())
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(60)
        connection.sendall(smuggled)
        answer = answers_of(connection)
    assert re.findall(rb"HTTP/1\.1 \d+", answer) == [b"HTTP/1.1 400"]


CURL = {
    "h2c upgrade": ["--http2"],
    "Expect": ["-H", "expect: 100-continue"],
    "HTTP/1.0": ["--http1.0"],
    "compressed": ["--compressed"],
    "chunked": ["-H", "transfer-encoding: chunked"],
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", CURL)
def test_curl(gateway: str, case: str, stream: bool, answers: dict[str, str]) -> None:
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--no-buffer", "--max-time", "60", *CURL[case]]
    command += ["-H", "content-type: application/json", "-H", f"authorization: Bearer {KEY}", "--data-binary", "@-"]
    done = subprocess.run(
        [*command, f"{gateway}/v1/chat/completions"],
        input=json.dumps(ASK | {"stream": stream}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if stream:
        lines = [line[6:] for line in done.stdout.splitlines() if line]
        assert lines.pop() == "[DONE]"
        deltas = [json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines]
        assert "".join(deltas) == answers[RAY]
    else:
        assert json.loads(done.stdout)["choices"][0]["message"]["content"] == answers[RAY]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_http_1_0_gets_no_chunks(gateway: str, stream: bool) -> None:
    """RFC 9112, 6.1: a server does not send transfer-encoding to a client of HTTP/1.0. The end is the connection's."""
    body = json.dumps(ASK | {"stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.0\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n"
    with connect(gateway) as connection:
        connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        answer = answers_of(connection)
    head_of_answer, _, text = answer.partition(b"\r\n\r\n")
    assert b" 200" in head_of_answer.splitlines()[0]
    assert b"transfer-encoding" not in head_of_answer.lower()
    if stream:
        assert text.startswith(b"data: {")
        assert text.endswith(b"data: [DONE]\n\n")
    else:
        assert json.loads(text)["object"] == "chat.completion"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/models", "/v1/audio/transcriptions"])
def test_a_preflight_needs_no_key(gateway: str, path: str) -> None:
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-lang",
    }
    answer = httpx.options(f"{gateway}{path}", headers=asked)
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "x-stainless-lang"} <= allowed


def test_a_preflight_of_another_origin_is_not_granted(gateway: str) -> None:
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    answer = httpx.options(f"{gateway}/v1/chat/completions", headers=asked)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("key", [KEY, "wrong"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions"])
def test_a_page_may_read_answers_and_errors(gateway: str, path: str, key: str) -> None:
    """Once, though the engine has headers of its own for it: two values are refused by browsers."""
    headers = {"authorization": f"Bearer {key}", "origin": ORIGIN}
    ask = ASK if path.endswith("completions") else None
    answer = httpx.request("POST" if ask else "GET", f"{gateway}{path}", headers=headers, json=ask, timeout=60)
    assert answer.status_code == (200 if key == KEY else 401)
    assert answer.headers.get_list("access-control-allow-origin") == [ORIGIN]
    assert "origin" in answer.headers["vary"].lower()


def test_another_page_may_read_nothing(gateway: str) -> None:
    headers = {"authorization": f"Bearer {KEY}", "origin": "https://elsewhere.example"}
    answer = httpx.post(f"{gateway}/v1/chat/completions", headers=headers, json=ASK, timeout=60)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/health", "/version"])
def test_probes_of_vllms_clients(gateway: str, path: str) -> None:
    """Tools that know vLLM ask these before anything else, and without a key."""
    answer = httpx.get(f"{gateway}{path}")
    assert answer.status_code == 200
    if path == "/version":
        assert answer.json()["version"]
