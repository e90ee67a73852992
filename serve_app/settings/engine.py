"""vLLM's engine arguments: which there are, which of them the stack sets itself, and what a misspelt one meant.

engine_arguments.json is written by `python -m serve_app.models.engine_arguments` from the pinned vLLM, so that both
the chart's schema and the app know the names without importing vLLM.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from serve_app.settings.errors import nearest

RANKS = "leave it out: it follows from the model's parallelism"
SERVER = "leave it out: Ray Serve runs the HTTP server"
SOURCE = "set the model's source"

# Arguments that the stack sets, or that have no effect in it, and what to do instead.
OWNED: Mapping[str, str] = {
    "model": SOURCE,
    "model_weights": SOURCE,
    "served_model_name": "set the model's servedNames: its key in `models` is its first name",
    "revision": "set the model's revision",
    "hf_token": "set clusterDefaults.storage.huggingFaceToken: values are no place for a secret",
    "download_dir": "set clusterDefaults.storage.modelCache",
    "tensor_parallel_size": "set parallelism.tensor",
    "pipeline_parallel_size": "set parallelism.pipeline",
    "data_parallel_size": "set parallelism.data",
    "enable_expert_parallel": "set parallelism.expert",
    "lora_modules": "set the model's adapters",
    "distributed_executor_backend": "leave it out: it follows from the accelerator's kind",
    "device_ids": "leave it out: Ray assigns the devices",
    "disable_log_stats": "leave it out: the metrics need these statistics",
    "api_key": "set auth: the gateway asks for API keys",
    **dict.fromkeys(
        (
            "prefill_context_parallel_size", "nnodes", "node_rank", "master_addr",
            "master_port", "data_parallel_rank", "data_parallel_start_rank",
            "data_parallel_size_local", "data_parallel_address", "data_parallel_rpc_port", "data_parallel_backend",
            "data_parallel_hybrid_lb", "data_parallel_external_lb", "data_parallel_multi_port_external_lb",
            "data_parallel_supervisor_port", "dp_supervisor_probe_interval_s", "dp_supervisor_probe_timeout_s",
            "dp_supervisor_probe_failure_threshold",
        ),
        RANKS,
    ),
    **dict.fromkeys(
        (
            "host", "port", "uds", "root_path", "ssl_keyfile", "ssl_certfile", "ssl_ca_certs", "ssl_cert_reqs",
            "ssl_ciphers", "enable_ssl_refresh", "uvicorn_log_level", "disable_uvicorn_access_log",
            "disable_access_log_for_endpoints", "h11_max_incomplete_event_size", "h11_max_header_count",
            "log_config_file",
        ),
        SERVER,
    ),
}  # fmt: skip


@cache
def arguments() -> Mapping[str, Mapping[str, Any]]:
    """The arguments that a model's `engine` may have: vLLM's name to its JSON Schema."""
    document = json.loads(files("serve_app.settings").joinpath("engine_arguments.json").read_text(encoding="utf-8"))
    return {name: schema for name, schema in document["arguments"].items() if name not in OWNED}


def refusals(names: Iterable[str]) -> list[str]:
    """One sentence for each name that a model's `engine` may not have."""
    sentences = []
    for name in names:
        if name in OWNED:
            sentences.append(f"engine.{name} is set by the stack, {OWNED[name]}")
        elif name not in arguments():
            sentences.append(f"engine.{name} is not an argument of this vLLM{nearest(name, arguments())}")
    return sentences
