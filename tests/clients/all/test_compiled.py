"""The packages of Go and Rust, each with its own errors."""

from tests.clients.all.conftest import Check, install
from tests.clients.all.report import CODES, RAY, Api, lacks

SASHABARANOV, OPENAI, RUST = (
    [f"{kind} {code}" for code in CODES] for kind in ("*openai.APIError", "*apierror.Error", "ApiError")
)
ANTHROPIC = [f"*apierror.Error {code.partition(' ')[0]}" for code in CODES]


def test_go(check: Check) -> None:
    apis = {
        "sashabaranov": Api(SASHABARANOV),
        "openai-go": Api(OPENAI, more={"response": RAY, "accumulated": RAY}),
        "anthropic-sdk-go": Api(ANTHROPIC, lacks("structured"), more={"accumulated": RAY, "counted": 6}),
    }
    check([str(install("go"))], apis)


def test_rust(check: Check) -> None:
    """async-openai reads errors into a type: a code that is a number loses it the whole error."""
    apis = {
        "chat": Api(RUST, more={"five stops": "ApiError 400"}),
        "responses": Api(RUST, lacks("tool", "structured", "bad key", "left")),
    }
    check([str(install("rust"))], apis)
