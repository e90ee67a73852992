"""JavaScript's packages that ask models, each with its own errors."""

import shutil
from pathlib import Path

import pytest

from tests.clients.all.conftest import PROGRAMS, Check, install
from tests.clients.all.report import CODES, OPENAI, RAY, SECOND, Api, lacks

LANGCHAIN = (*OPENAI[:2], "ContextOverflowError")
AI_SDK = tuple(f"APICallError {code}" for code in CODES)
ANTHROPIC = ("NotFoundError 404", "AuthenticationError 401", "BadRequestError 400")
AI_SDK_ANTHROPIC = ("APICallError 404", "APICallError 401", "APICallError 400")
TIMED_OUT = {"timed out": "APIConnectionTimeoutError"}
CLIENTS = {
    "ai_sdk": {
        "compatible": Api(AI_SDK, more=SECOND),
        "chat": Api(AI_SDK, more=SECOND),
        "responses": Api(AI_SDK, more=SECOND),
        "anthropic": Api(AI_SDK_ANTHROPIC, lacks("structured"), more=SECOND),
    },
    "anthropic": {
        "anthropic": Api(ANTHROPIC, lacks("structured"), more=TIMED_OUT | {"final message": RAY, "counted": 6}),
    },
    "langchain": {"chat": Api(LANGCHAIN), "responses": Api(LANGCHAIN)},
    "openai": {"chat": Api(OPENAI, more=TIMED_OUT | {"aborted": "APIUserAbortError", "tee": RAY})},
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs beside their packages, where node looks for those."""
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "node_modules").symlink_to(install("javascript") / "node_modules")
    for program in (PROGRAMS / "javascript").glob("*.mjs"):
        shutil.copy(program, folder)
    return folder


def test_each_program_is_in_the_table(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*_app.mjs")} == {f"{name}_app" for name in CLIENTS}


@pytest.mark.parametrize("client", CLIENTS)
def test_javascript(client: str, folder: Path, installed: tuple[Path, Path], check: Check) -> None:
    check([str(installed[0] / "bin/node"), str(folder / f"{client}_app.mjs")], CLIENTS[client])
