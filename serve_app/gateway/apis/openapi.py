"""GET /openapi.json: the paths that are passed to models, beside those that FastAPI knows by itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serve_app import __version__
from serve_app.gateway.routing.catalog import APIS

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "integer", "null"]},
            },
        }
    },
}
_REQUEST = {
    "type": "object",
    "required": ["model"],
    "properties": {"model": {"type": "string", "description": "A model's id or a route's name."}},
    "additionalProperties": True,
}
_REFUSALS = {
    "400": "The body is no JSON object with a model.",
    "401": "No valid API key.",
    "404": "No such model.",
    "413": "The body is too large.",
    "502": "The model's answer is not valid.",
    "503": "The model cannot be reached; Retry-After says when to try again.",
    "504": "The model did not answer in time.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document.

    Args:
        app: Its routes are described as FastAPI does it; those of `catalog.APIS` by what the gateway knows of them.
    """
    content = get_openapi(title="ray-vllm-stack gateway", version=__version__, routes=app.routes)
    schemas = content.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"] = _ERROR
    schemas["Request"] = _REQUEST
    content["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    content["security"] = [{"key": []}]
    for path, name in APIS.items():
        content["paths"][path] = {"post": _operation(name)}
    return content


def _operation(name: str) -> dict[str, Any]:
    def refusal(why: str) -> dict[str, Any]:
        return {"description": why, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}

    return {
        "operationId": name,
        "summary": f"OpenAI's {name.replace('_', ' ')}: passed to the model, its answer passed back unchanged",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
        },
        "responses": {
            "200": {"description": "The model's answer; text/event-stream if the request asks for a stream."},
            **{status: refusal(why) for status, why in _REFUSALS.items()},
        },
    }
