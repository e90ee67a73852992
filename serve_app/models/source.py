"""Where a model's files are: from the setting to what Ray and vLLM load."""

from pathlib import Path

from serve_app.settings.errors import SettingsError
from serve_app.settings.model import ModelSettings

# The chart mounts the claim of a pvc:// source here, on the head and the workers.
CLAIMS = Path("/mnt/models")
HUGGING_FACE = "hf://"
CLAIM = "pvc://"
S3 = "s3://"
BUCKETS = (S3, "gs://", "azure://", "abfss://")


def location(source: str, load_format: object = "auto") -> str:
    """A Hugging Face id, a bucket's address or a path, as Ray's `model_source` wants it.

    With a streaming `load_format` Ray downloads nothing, and vLLM reads the address itself.
    """
    if source.startswith(HUGGING_FACE):
        return source.removeprefix(HUGGING_FACE)
    if source.startswith(CLAIM):
        return str(CLAIMS / source.removeprefix(CLAIM))
    if source.startswith(S3) and not str(load_format).startswith("runai_streamer"):
        return f"pyarrow-{source}"  # Ray's other way to S3 is boto3, which wants an older dateutil than the image has
    return source


def check_present(settings: ModelSettings) -> None:
    """Refuses a model whose files should be on a volume or in the image, and are not.

    The build runs on a pod that has the volume, and says so in seconds; the engine would fail minutes later, on a
    worker that had to be started first.
    """
    if settings.source.startswith((HUGGING_FACE, *BUCKETS)):
        return
    path = Path(location(settings.source))
    if (path / "config.json").is_file() or (path.suffix == ".gguf" and path.is_file()):
        return
    problem = f"{path} has no config.json" if path.is_dir() else f"{path} does not exist"
    if not settings.source.startswith(CLAIM):
        raise SettingsError(f"model {settings.model_id!r}: {problem} in this image, mount it or change the source")
    claim = settings.source.removeprefix(CLAIM).partition("/")[0]
    raise SettingsError(
        f"model {settings.model_id!r}: {problem}, put the model's files there in the "
        f"PersistentVolumeClaim {claim!r}, or correct the path in source {settings.source!r}"
    )
