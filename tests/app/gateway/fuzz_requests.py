"""Requests for the fuzz tests, of which each part may be anything."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from serve_app.gateway.api.table import APIS

OPERATIONS = [
    *(("POST", path) for path in APIS),
    ("GET", "/v1/responses/{response_id}"),
    ("POST", "/v1/responses/{response_id}/cancel"),
    *(
        ("GET", path)
        for path in (
            "/v1/models",
            "/v1/models/{name}",
            "/v1/limits",
            "/healthz",
            "/readyz",
            "/health",
            "/ping",
            "/version",
        )
    ),
]
TASKS = {"chatter": "generate", "embedder": "embed", "scorer": "score", "writer": "transcribe"}
"""The models there are -> what they are for."""

METHODS = st.sampled_from(["POST"] * 4 + ["GET"] * 4 + ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
PATHS = st.one_of(
    st.sampled_from([path for _, path in OPERATIONS]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126)).map(lambda text: f"/{text}"),
    st.text().map(lambda text: f"/v1/responses/{quote(text, safe='')}"),
    st.text().map(lambda text: f"/v1/models/{quote(text, safe='')}"),
    st.text().map(lambda text: f"/v1/responses/resp_1?model=chatter&{quote(text, safe='=&')}"),
)
VALUES = st.lists(st.sampled_from([*range(32, 127), *range(128, 256)]), max_size=40).map(bytes)
MORE = st.dictionaries(
    st.sampled_from([b"anthropic-version", b"x-request-id", b"accept", b"traceparent", b"content-encoding", b"cookie"]),
    VALUES,
    max_size=2,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(["model", "stream", "stream_options", "user", "metadata", "previous_response_id", "store"])


def of_json(model: str, more: dict[str, Any]) -> bytes:
    return json.dumps({"model": model} | more).encode()


def of_form(parts: list[tuple[str, bytes]]) -> bytes:
    head = b'--x\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return b"".join(head % (name.encode(), value) for name, value in parts) + b"--x--\r\n"


def broken(body: bytes, place: int, piece: bytes) -> bytes:
    return body[:place] + piece + body[place + len(piece) :]


BODIES = {
    "json": st.builds(of_json, st.sampled_from([*TASKS]), st.dictionaries(FIELDS, JSON, min_size=1, max_size=4)),
    "form": st.lists(st.tuples(FIELDS, st.sampled_from([b"writer", b"true"]) | st.binary()), max_size=4).map(of_form),
}
CONTENT_TYPES = {"json": b"application/json", "form": b"multipart/form-data; boundary=x"}
ANY_BODY = st.one_of(st.binary(), *BODIES.values())
ANY_CONTENT_TYPE = st.sampled_from([*CONTENT_TYPES.values(), b"multipart/form-data", b"text/plain", b""]) | VALUES
