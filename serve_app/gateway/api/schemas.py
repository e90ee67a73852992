"""JSON schemas for the OpenAPI document: what the gateway itself reads of requests, and the errors that it writes.

What else a request may have is its model's server's to say, and changes with it; so every schema is open, and has,
beside the gateway's own fields, only those without which a request makes no sense.
"""

from typing import Any

from serve_app.gateway.api.errors import ANTHROPIC_TYPES
from serve_app.gateway.api.table import RESPONSE_ID, Api

Schema = dict[str, Any]

ERROR: Schema = {
    "type": "object",
    "description": "OpenAI's error.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "integer", "null"]},
            },
        }
    },
}
ANTHROPIC_ERROR: Schema = {
    "type": "object",
    "description": "Anthropic's error; also for requests with the header `anthropic-version` to paths of no API.",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"enum": sorted(ANTHROPIC_TYPES)}, "message": {"type": "string"}},
        },
        "request_id": {"type": ["string", "null"]},
    },
}

_MODEL: Schema = {"type": "string", "minLength": 1, "description": "A model's, an adapter's or a route's name."}
_STREAM: Schema = {"type": ["boolean", "null"], "description": "Whether the answer is to be a stream of events."}
_OPTIONS: Schema = {
    "type": ["object", "null"],
    "properties": {"include_usage": {"type": ["boolean", "null"]}},
    "description": "With `include_usage`, the stream ends with the tokens that were used.",
}
_USER: Schema = {"type": "string", "description": "Whom the request is for; routes may keep a user at one model."}
_METADATA: Schema = {"type": ["object", "null"], "properties": {"user_id": {"type": ["string", "null"]}}}
_MESSAGES: Schema = {"type": "array", "items": {"type": "object"}}
_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": ["string", "array"]}
_FILE: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}

_REQUIRED: dict[str, dict[str, Schema]] = {
    "chat_completions": {"messages": _MESSAGES},
    "completions": {"prompt": _TEXTS},
    "responses": {"input": _TEXTS},
    "messages": {"messages": _MESSAGES, "max_tokens": {"type": "integer"}},
    "count_tokens": {"messages": _MESSAGES},
    "embeddings": {"input": _TEXTS},
    "embed": {"texts": {"type": "array", "items": _TEXT}},
    "rerank": {"query": _TEXT, "documents": {"type": "array"}},
    "classify": {"input": _TEXTS},
    "pooling": {"input": _TEXTS},
    "transcriptions": {"file": _FILE},
    "translations": {"file": _FILE},
    "detokenize": {"tokens": {"type": "array", "items": {"type": "integer"}}},
}
"""API -> fields that all its requests have. Those of `score` and `tokenize` come in several forms."""

RESPONSE_PARAMETERS: list[Schema] = [
    {
        "name": "response_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{RESPONSE_ID}$"},
    },
    {
        "name": "model",
        "in": "query",
        "description": "Who made the response: needed only where the gateway does not know it any more.",
        "schema": {"type": "string"},
    },
]


def request(api: Api) -> Schema:
    """What a request's body has to be."""
    fields = _REQUIRED.get(api.name, {})
    properties: dict[str, Schema] = {"model": _MODEL, **fields}
    if api.streams:
        properties["stream"] = {"type": "boolean"} if api.body == "form" else _STREAM
    if api.shape == "anthropic":
        properties["metadata"] = _METADATA
    else:
        properties["user"] = _USER
        if api.streams and api.body == "json":
            properties["stream_options"] = _OPTIONS
    return {
        "type": "object",
        "required": ["model", *fields],
        "properties": properties,
        "additionalProperties": True,
    }
