"""serve_app.models.source: where the files are."""

from pathlib import Path

import pytest

from serve_app.models import source
from serve_app.settings.errors import SettingsError
from serve_app.settings.model import ModelSettings
from tests.app.test_model_settings import ARGS

AZURE = "abfss://c@account.dfs.core.windows.net/model"


def settings(**change: object) -> ModelSettings:
    return ModelSettings.parse(ARGS | change)


@pytest.mark.parametrize(
    ("setting", "location"),
    [
        ("hf://Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("s3://bucket/model", "pyarrow-s3://bucket/model"),
        ("s3://anonymous@bucket/model", "pyarrow-s3://anonymous@bucket/model"),
        ("azure://c@account.blob.core.windows.net/m", "azure://c@account.blob.core.windows.net/m"),
        ("gs://bucket/model", "gs://bucket/model"),
        ("pvc://demo-models/sparrow", "/mnt/models/demo-models/sparrow"),
        ("pvc://weights", "/mnt/models/weights"),
        ("/opt/model", "/opt/model"),
    ],
)
def test_location(setting: str, location: str) -> None:
    assert source.location(setting) == location


def test_a_streamed_bucket_is_read_by_vllm_itself() -> None:
    assert source.location("s3://bucket/model", "runai_streamer") == "s3://bucket/model"


@pytest.mark.parametrize("setting", ["hf://Qwen/Qwen3-8B", "s3://bucket/model", "gs://bucket/model", AZURE])
def test_remote_sources_are_for_the_engine_to_find(setting: str) -> None:
    source.check_present(settings(source=setting))


def test_missing_path() -> None:
    with pytest.raises(
        SettingsError, match="model 'sparrow': /opt/nowhere does not exist in this image, mount it or change"
    ):
        source.check_present(settings(source="/opt/nowhere"))


def test_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CLAIMS", tmp_path)
    model = tmp_path / "demo-models" / "sparrow"
    with pytest.raises(
        SettingsError, match="does not exist, put the model's files there in the PersistentVolumeClaim 'demo-models'"
    ):
        source.check_present(settings())
    model.mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"sparrow has no config\.json, put the model's files there"):
        source.check_present(settings())
    (model / "config.json").write_text("{}")
    source.check_present(settings())


def test_single_file(tmp_path: Path) -> None:
    weights = tmp_path / "model.gguf"
    weights.write_bytes(b"GGUF")
    source.check_present(settings(source=str(weights)))
