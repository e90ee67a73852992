"""serve_app.models: what is refused before Ray is asked, and that the package needs no Ray to be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from serve_app.models.environment import DIRECT_STREAMING, check_direct_streaming
from serve_app.settings.errors import SettingsError

ROOT = Path(__file__).parents[2]


def test_direct_streaming_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DIRECT_STREAMING:
        monkeypatch.setenv(name, "1")
    check_direct_streaming()


@pytest.mark.parametrize("missing", DIRECT_STREAMING)
def test_direct_streaming_is_off(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in DIRECT_STREAMING:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv(missing, "0")
    with pytest.raises(SettingsError, match=f"direct streaming is off: set {missing}=1 in the environment"):
        check_direct_streaming()


def test_neither_ray_nor_vllm_is_imported() -> None:
    """The gateway image has neither."""
    modules = "serve_app.models, serve_app.models.check, serve_app.settings.schema"
    code = f"import sys, {modules}; print([name for name in ('ray', 'vllm') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
