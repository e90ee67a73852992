"""Where the clients of this level are installed, and how their programs are run."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.all.report import Api, assert_report
from tests.clients.conftest import Made, run_program

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
# Nothing here asks anyone outside: no telemetry, no price lists.
OFFLINE = {
    "AUTOGEN_DISABLE_RUNTIME_TRACING": "true",
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}
Check = Callable[[list[str], dict[str, Api]], None]


def install(*words: str) -> Path:
    """Installs a group of clients, once.

    Returns:
        Where it is.
    """
    done = subprocess.run([HERE / "install.sh", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]} cannot be installed here:\n{done.stderr}"
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def surroundings(place: dict[str, str], comma: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The programs' environment, with a home of their own for what they leave behind."""
    return place | OFFLINE | {"COMMA_TOKEN": comma, "HOME": str(tmp_path_factory.mktemp("home"))}


@pytest.fixture
def check(surroundings: dict[str, str], made: Made, tmp_path: Path) -> Check:
    """Runs a program and checks what it reports, and that the engine stopped for each stream that it left."""

    def run(command: list[str], apis: dict[str, Api], cwd: Path = tmp_path, source: str = "") -> None:
        report: dict[str, Any] = run_program(command, surroundings, cwd=cwd, source=source)
        assert_report(report, apis)
        assert made() < 1900, "one that goes on makes 2000"

    return run
