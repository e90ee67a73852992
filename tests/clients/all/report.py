"""What each client's program has to report of each API, and how that is checked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.clients.conftest import ANSWERS

CHECKS = {"plain", "stream", "usage", "tool", "structured", "unknown model", "bad key", "too long", "left"}
PLACES = ({"city": "Rome"}, {"city": "Oslo"})
RAY, VLLM = ANSWERS["What is Ray?"], ANSWERS["What is vLLM?"]
# Status and code of errors by OpenAI's API: for an unknown model, a wrong key, a prompt that is too long.
CODES = ("404 model_not_found", "401 invalid_api_key", "400 context_length_exceeded")
# What those show that let the errors of OpenAI's own package through.
OPENAI = tuple(map(" ".join, zip(("NotFoundError", "AuthenticationError", "BadRequestError"), CODES, strict=True)))
SECOND = {"second turn": VLLM}
ENOUGH = 10  # pieces of a stream, after which programs leave it


@dataclass(frozen=True)
class Api:
    """How a client uses an API.

    Attributes:
        errors: What it raises for an unknown model, a wrong key and a prompt that is too long: its own class, then
            status and code, if it shows them.
        lacks: Checks that the client has nothing for.
        more: Further things that the program reports -> what is to come of them.
        answers: Whether it asks word for word what the model was taught, so that the answer is known.
    """

    errors: Sequence[str]
    lacks: frozenset[str] = frozenset()
    more: dict[str, Any] = field(default_factory=dict)
    answers: bool = True


def lacks(*checks: str) -> frozenset[str]:
    """Checks that a client has nothing for."""
    assert CHECKS.issuperset(checks)
    return frozenset(checks)


def assert_report(report: dict[str, dict[str, Any]], apis: dict[str, Api]) -> None:
    """Nothing is missing, nothing is wrong.

    Args:
        report: What a program printed: API -> check -> what came of it.
        apis: API -> what is expected.
    """
    assert report.keys() == apis.keys()
    for name, api in apis.items():
        found = dict(report[name])
        print(name, json.dumps(found))  # shown if the test fails
        assert found.keys() == (CHECKS - api.lacks) | api.more.keys()
        expected = zip(("unknown model", "bad key", "too long"), api.errors, strict=True)
        errors = {check: line for check, line in expected if check not in api.lacks}
        assert {check: found[check] for check in errors} == errors
        if api.answers:
            assert found["plain"] == RAY
            assert "".join(found.get("stream", RAY)) == RAY
            assert found.get("usage", [6, 16]) == [6, 16]
        else:
            assert found["plain"]
            assert min(found["usage"]) > 0
        if "tool" in found:
            assert found["tool"]["name"] == "weather"
            assert found["tool"]["args"] in PLACES
        assert found.get("structured", PLACES[0]) in PLACES
        assert found.get("left", ENOUGH) >= ENOUGH
        assert {check: found[check] for check in api.more} == api.more
