"""Keys for models outside."""

import logging
from pathlib import Path

import pytest

from serve_app.gateway.upstream.credentials import Credentials
from serve_app.settings.gateway import Model


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def model(path: Path | str) -> Model:
    return Model(url="https://h", apiKeyFile=str(path))


def test_most_models_want_none() -> None:
    assert Credentials().of(model("")) == ""


def test_a_changed_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    clock = Clock()
    credentials = Credentials(clock)
    file = tmp_path / "key"
    file.write_text("sk-one\n")
    assert credentials.of(model(file)) == "sk-one"
    file.write_text("sk-two\n")
    assert credentials.of(model(file)) == "sk-one"
    clock.now = 11
    assert credentials.of(model(file)) == "sk-two"
    file.unlink()
    clock.now = 22
    assert credentials.of(model(file)) == "sk-two", "what was known goes on"


def test_without_a_file_nothing_of_the_caller_goes_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert Credentials().of(model(tmp_path / "key")) == "none"
    assert "correct the Secret that is mounted there" in caplog.text
