"""LoRA adapters that come and go while the engine runs: vLLM asks for one when a request first names it."""

import asyncio
import hashlib
import logging
import os
from pathlib import Path
from typing import Any

from vllm.entrypoints.serve.lora.protocol import UnloadLoRAAdapterRequest
from vllm.lora.request import LoRARequest
from vllm.lora.resolver import LoRAResolver, LoRAResolverRegistry

from serve_app.models.source import BUCKETS, HUGGING_FACE, location

_LOG = logging.getLogger(__name__)
_ANY_ID = 1
"""A request has to have one, and vLLM then gives it another."""


class Adapters(LoRAResolver):  # type: ignore[misc]  # vLLM is not where types are checked
    """Where a model's adapters are, by the name that clients use."""

    def __init__(self) -> None:
        """Has vLLM ask here; there is one engine in a process."""
        self._sources: dict[str, str] = {}
        LoRAResolverRegistry.register_resolver("ray-vllm-stack", self)

    async def update(self, sources: dict[str, str], engine: Any) -> None:  # noqa: ANN401 - Ray has no types
        """Takes the adapters as they are now; what has gone or moved is unloaded, what is new loads when asked for."""
        stale = [name for name, source in self._sources.items() if sources.get(name) != source]
        self._sources = dict(sources)
        models = engine._oai_models
        for name in stale:
            if name in models.lora_requests:
                await models.unload_lora_adapter(UnloadLoRAAdapterRequest(lora_name=name))

    async def resolve_lora(self, base_model_name: str, lora_name: str) -> LoRARequest | None:
        """The adapter's files, downloaded where they have to be; none for a name that is no adapter, or has no files.

        Raises:
            OSError: the download failed.
        """
        source = self._sources.get(lora_name)
        if source is None:
            return None
        path = await asyncio.to_thread(fetch, source)
        if not (path / "adapter_config.json").is_file():
            _LOG.error("adapter %r: %s has no adapter_config.json, correct its source %r", lora_name, path, source)
            return None
        return LoRARequest(lora_name=lora_name, lora_int_id=_ANY_ID, lora_path=str(path))


def fetch(source: str) -> Path:
    """The folder of a source; one of a hub or a bucket is downloaded first.

    Raises:
        OSError: the download failed.
    """
    where = location(source)
    if source.startswith(HUGGING_FACE):
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(where))
    if source.startswith(BUCKETS):
        from ray.llm._internal.common.utils.cloud_utils import CloudFileSystem

        name = hashlib.sha256(source.encode()).hexdigest()[:16]
        path = Path(os.environ.get("HF_HOME", "/tmp")) / "adapters" / name  # noqa: S108 - where models are kept too
        path.mkdir(parents=True, exist_ok=True)
        CloudFileSystem.download_files(path=str(path), bucket_uri=where)
        return path
    return Path(where)
