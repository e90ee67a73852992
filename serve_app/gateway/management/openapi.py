"""GET /openapi.json: the paths that are passed to models, beside those that FastAPI knows by itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serve_app import __version__
from serve_app.gateway.api import schemas
from serve_app.gateway.api.errors import Shape
from serve_app.gateway.api.schemas import Schema
from serve_app.gateway.api.table import APIS, CANCEL, RETRIEVE, Api

_EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_MEDIA_TYPES = {"json": "application/json", "form": "multipart/form-data"}

_REFUSALS = {
    "400": "The request cannot be used; the error names what is wrong with it.",
    "401": "No valid API key.",
    "403": "The API key may not use the model.",
    "404": "There is no such model, or no such response.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The body's content type is not the API's, or it is compressed.",
    "422": "Refused by the model's server.",
    "429": "Above a limit of the API key or its team; Retry-After says when to try again.",
    "500": "The model's server failed.",
    "502": "The model's answer is not valid.",
    "503": "The model is overloaded or cannot be reached; Retry-After says when to try again.",
    "504": "The model did not answer in time.",
}
_OF_ALL = ("401", "404")
"""Those that paths of no model have too."""
_REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_RETRY_AFTER = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
_LIMITS = {
    f"X-RateLimit-{what}-{of}": {"$ref": "#/components/headers/RateLimit"}
    for of in ("Requests", "Tokens")
    for what in ("Limit", "Remaining", "Reset")
}
_HEADERS: Schema = {
    "RequestId": {
        "description": "The request's id in logs and traces: the client's own, if it sent a plain one.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "RetryAfter": {"description": "Seconds until it is worth trying again.", "schema": {"type": "string"}},
    "RateLimit": {"description": "For callers with such a limit, as OpenAI has it.", "schema": {"type": "string"}},
}
_SECURITY_SCHEMES: Schema = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key or a token, as OpenAI's clients send it.",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "As Anthropic's clients send it."},
}
_UNPROTECTED = ("/healthz", "/readyz")


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document.

    Args:
        app: Its routes are described as FastAPI does it; those of `table.APIS` by what the gateway knows of them.
    """
    content = get_openapi(title="ray-vllm-stack gateway", version=__version__, routes=app.routes)
    for path, methods in content["paths"].items():
        for operation in methods.values():
            _complete(path, operation)
    components = content.setdefault("components", {})
    components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's, which none of these routes answers
        components["schemas"].pop(unused, None)
    components["schemas"] |= {"Error": schemas.ERROR, "AnthropicError": schemas.ANTHROPIC_ERROR}
    components["headers"] = _HEADERS
    components["securitySchemes"] = _SECURITY_SCHEMES
    content["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    for path, api in APIS.items():
        content["paths"][path] = {"post": _operation(path, api)}
    for path, api in (("/v1/responses/{response_id}", RETRIEVE), ("/v1/responses/{response_id}/cancel", CANCEL)):
        operation = {"parameters": schemas.RESPONSE_PARAMETERS, **_operation(path, api)}
        content["paths"][path] = {api.method.lower(): operation}
    return content


def _complete(path: str, operation: Schema) -> None:
    """Adds to what FastAPI knows of its own routes."""
    responses = operation["responses"]
    if path in _UNPROTECTED:
        operation["security"] = []
        return
    responses.pop("422", None)
    responses |= {status: _refusal(status, "openai", either=True) for status in ("400", *_OF_ALL)}
    for response in responses.values():
        response["headers"] = _REQUEST_ID


def _operation(path: str, api: Api) -> Schema:
    operation: Schema = {
        "operationId": path.strip("/").replace("/", "_").translate({ord(brace): "" for brace in "{}"}),
        "tags": [api.name],
        "summary": f"{api.name.replace('_', ' ').capitalize()}: passed to the model, its answer passed back",
        "responses": {
            "200": {
                "description": "The model's answer.",
                "headers": _REQUEST_ID | _LIMITS,
                "content": {
                    "application/json": {"schema": {}},
                    **(_EVENTS if api.streams or api is RETRIEVE else {}),
                    **(_TEXT if api.body == "form" else {}),
                },
            },
            **{status: _refusal(status, api.shape) for status in _REFUSALS},
        },
    }
    if api.body != "none":
        content = {_MEDIA_TYPES[api.body]: {"schema": schemas.request(api)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _refusal(status: str, shape: Shape, *, either: bool = False) -> Schema:
    names = ("Error", "AnthropicError") if either else ("AnthropicError" if shape == "anthropic" else "Error",)
    references = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    headers = dict(_REQUEST_ID)
    if status in ("429", "503"):
        headers |= _RETRY_AFTER
    if status == "429":
        headers |= _LIMITS
    schema = {"anyOf": references} if either else references[0]
    return {"description": _REFUSALS[status], "headers": headers, "content": {"application/json": {"schema": schema}}}
