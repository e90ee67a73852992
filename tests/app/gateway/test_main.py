import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve_app.gateway.__main__ import main


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_good_file_is_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("models: {a: {url: 'http://h/models/a'}}")
    assert main(["--config", str(file), "--check"]) == 0
    assert capsys.readouterr().out == "OK\n"


@pytest.mark.parametrize("check", [["--check"], []], ids=["check", "serve"])
def test_a_bad_file_ends_it_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], check: list[str]
) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("models: {a: {url: 'http://h'}}\nroutes: {chat: {backends: {b: {}}}}")
    assert main(["--config", str(file), *check]) == 1
    assert capsys.readouterr().err == f"{file}: routes.chat.backends.b is no model, use a key of models: a\n"


def test_a_missing_file_ends_it_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none.yaml"), "--check"]) == 1
    assert "none.yaml" in capsys.readouterr().err


def test_ray_is_never_imported() -> None:
    code = (
        "import sys, pkgutil, importlib, serve_app.gateway as g, serve_app.uninstall\n"
        "[importlib.import_module(f'serve_app.gateway.{m.name}') for m in pkgutil.iter_modules(g.__path__)]\n"
        "print({'ray', 'vllm', 'torch'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
