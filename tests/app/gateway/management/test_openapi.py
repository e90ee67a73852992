from typing import Any

import orjson
import pytest
import schemathesis
from fastapi import APIRouter, FastAPI
from jsonschema import Draft202012Validator

from serve_app.gateway.api import schemas
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS, CANCEL, RETRIEVE, Api
from serve_app.gateway.management import openapi

RESPONSE = "/v1/responses/{response_id}"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    routes = APIRouter()
    for path in ("/healthz", "/v1/models/{name:path}"):
        routes.get(path)(lambda name="": {})
    app = FastAPI()
    app.include_router(routes)
    return openapi.document(app)


def test_all_paths_are_there_with_their_methods(document: dict[str, Any]) -> None:
    methods = {path: set(operations) for path, operations in document["paths"].items()}
    assert methods == {
        **{path: {"post"} for path in APIS},
        RESPONSE: {"get"},
        RESPONSE + "/cancel": {"post"},
        "/v1/models/{name}": {"get"},
        "/healthz": {"get"},
    }


def test_it_is_valid(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_every_answer_but_the_kubelets_has_the_requests_id(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for response in operation["responses"].values():
                assert ("X-Request-Id" in response.get("headers", {})) == (path != "/healthz")


def test_only_the_kubelet_needs_no_key(document: dict[str, Any]) -> None:
    assert document["security"] == [{"bearer": []}, {"apiKey": []}]
    unprotected = [
        path for path, item in document["paths"].items() for operation in item.values() if "security" in operation
    ]
    assert unprotected == ["/healthz"]


@pytest.mark.parametrize("api", [*dict.fromkeys(APIS.values()), RETRIEVE, CANCEL], ids=lambda api: api.name)
def test_errors_are_described_as_they_are_written(api: Api) -> None:
    schema = schemas.ANTHROPIC_ERROR if api.shape == "anthropic" else schemas.ERROR
    for status in (400, 401, 404, 413, 429, 500, 503, 504):
        Draft202012Validator(schema).validate(
            orjson.loads(ApiError(status, "No.", code="c", param="p").body(api.shape, "r"))
        )


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/v1/chat/completions", "application/json"), ("/v1/audio/translations", "multipart/form-data")],
)
def test_bodies(document: dict[str, Any], path: str, media_type: str) -> None:
    (found,) = document["paths"][path]["post"]["requestBody"]["content"]
    assert found == media_type


def test_what_has_no_body_has_an_id(document: dict[str, Any]) -> None:
    for path, method in ((RESPONSE, "get"), (RESPONSE + "/cancel", "post")):
        operation = document["paths"][path][method]
        assert "requestBody" not in operation
        assert [parameter["name"] for parameter in operation["parameters"]] == ["response_id", "model"]


def test_streams_are_told_of(document: dict[str, Any]) -> None:
    streaming = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if "text/event-stream" in operation["responses"]["200"]["content"]
    }
    assert streaming == {path for path, api in APIS.items() if api.streams} | {RESPONSE}
