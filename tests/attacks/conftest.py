import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.stage import ROWS, Stage, set_up, table

SOFT_FILES = 1024
"""What newer nodes start containers with; the gateway raises it to the hard limit by itself."""


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A gateway with its model; `@pytest.mark.parametrize("stage", [256], indirect=True)` sets its open files."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with set_up(tmp_path, getattr(request, "param", SOFT_FILES)) as staged:
        yield staged


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS:
        terminalreporter.section(f"attacks on a gateway of 512 MiB, {os.cpu_count()} cores")
        terminalreporter.write_line(table())
