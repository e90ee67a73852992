"""What Ray Serve LLM and vLLM are told of a model. Read in the replica: it imports both, which takes 0.6 GiB."""

from typing import Any, Literal

from ray.serve.llm import LLMConfig
from ray.serve.llm.deployment import DPServer, LLMServer, PDDecodeServer, PDPrefillServer

from serve_app.models import placement, task
from serve_app.models.source import location
from serve_app.settings.model import Accelerator, ModelSettings, Parallelism, Role

RoleName = Literal["", "prefill", "decode"]
_TRANSFER = {"kv_connector": "NixlConnector", "kv_role": "kv_both", "kv_load_failure_policy": "recompute"}
"""Where prefill's blocks do not come, decode computes them: vLLM's own default fails the request."""
_DECODE_PORTS = {"NIXL_SIDE_CHANNEL_PORT_BASE": 22000}
"""Apart from prefill's, which begin at 20000: the two may be on one node."""


def llm_config(settings: ModelSettings, role: RoleName = "") -> LLMConfig:
    """The model, or one kind of its replicas. Nothing about their number: that is an override in the Serve config."""
    part = role_of(settings, role)
    engine = task.arguments(settings, part.accelerator, part.parallelism, part.engine)
    if role:
        engine.setdefault("kv_transfer_config", _TRANSFER)
    accelerator = part.accelerator
    where = location(settings.source, engine.get("load_format"))
    return LLMConfig(
        model_loading_config={"model_id": settings.model_id, "model_source": where},
        accelerator_config=_hardware(accelerator),
        placement_group_config={
            "bundle_per_worker": placement.bundle(accelerator),
            "strategy": placement.strategy(accelerator, part.parallelism),
        },
        engine_kwargs=engine,
        runtime_env={"env_vars": dict(settings.env)} if settings.env else None,
        experimental_configs=_DECODE_PORTS if role == "decode" else {},
    )


def server_class(role: RoleName, parallelism: Parallelism) -> Any:  # noqa: ANN401 - Ray has no types
    """Ray's class of a replica."""
    if parallelism.data == 1:
        return {"": LLMServer, "prefill": PDPrefillServer, "decode": PDDecodeServer}[role]
    from ray.llm._internal.serve.serving_patterns.prefill_decode.pd_server import DPPDDecodeServer, DPPDPrefillServer

    return {"": DPServer, "prefill": DPPDPrefillServer, "decode": DPPDDecodeServer}[role]


def role_of(settings: ModelSettings, role: RoleName) -> Role:
    """What a replica of the role runs on, and how; without roles, that of the model."""
    if role and settings.roles:
        return settings.roles.prefill if role == "prefill" else settings.roles.decode
    return Role(accelerator=settings.accelerator, parallelism=settings.parallelism, engine=settings.engine)


def _hardware(accelerator: Accelerator) -> dict[str, Any]:
    """Ray Serve LLM's kind of accelerator. What it has no kind for, vLLM itself finds in the pod, as it does a CPU."""
    return {"kind": {"GPU": "gpu", "TPU": "tpu"}.get(accelerator.resource, "cpu")}
