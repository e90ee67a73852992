"""Models that a test adds to the release and takes away again."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.cluster.conftest import Serve
from tests.cluster.kube import wait_until
from tests.cluster.stack import Stack
from tests.cluster.test_edits import listed

SECONDS = 600


def smollm2(**engine: Any) -> dict[str, Any]:
    """An entry of SmolLM2-135M; in numbers of 32 bits, which CPUs without instructions for bfloat16 compute faster."""
    own = {"dtype": "float32", "max_model_len": 2048, "max_num_batched_tokens": 640, "kv_cache_memory_bytes": 134217728}
    return {"source": "pvc://demo-models/smollm2", "accelerator": "cpu", "engine": {**own, **engine}}


@contextlib.contextmanager
def added(stack: Stack, serve: Serve, models: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """With these models running and listed by the gateways; afterwards they are gone."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"models": {name: dict(model) for name, model in models.items()}}, file)
        file.flush()
        stack.edit("--values", file.name)
    on_ray = [name for name, model in models.items() if model.get("runtime") != "standalone"]
    try:
        wait_until("the models to run", SECONDS, lambda: all(serve.runs(name) for name in on_ray), pause=2)
        wait_until("the gateways to list them", 120, lambda: all(listed(stack, name) for name in models))
        yield
    finally:
        stack.remove(*(f"models.{name}" for name in models))
        wait_until("them to be gone", SECONDS, lambda: not set(on_ray) & set(serve.applications()), pause=2)
