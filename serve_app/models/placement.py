"""What a replica asks of Ray: one bundle of resources per accelerator, on the pods of the model's class."""

from typing import Any

from serve_app.settings.model import ModelSettings

# Every pod of a worker group has 1000 of its class's resource, and a bundle takes this much: it ties the replica to
# the class, and never runs out.
SHARE = 0.001


def class_resource(class_name: str) -> str:
    """The Ray resource that only the pods of an accelerator class have."""
    return f"accelerator-class-{class_name}"


def placement(settings: ModelSettings) -> dict[str, Any]:
    """Ray's placement_group_config. Ray adds one CPU to the first bundle, for the replica itself."""
    bundle: dict[str, float] = {class_resource(settings.accelerator.class_name): SHARE}
    if settings.accelerator.platform != "cpu":
        bundle["GPU"] = 1  # Ray's name for a device of CUDA and of ROCm alike
    if settings.tensor_parallel == 1:
        return {"bundle_per_worker": bundle, "strategy": "PACK"}
    # The accelerators of a replica talk to each other all the time: one pod, or not at all.
    return {"bundle_per_worker": bundle, "strategy": "STRICT_PACK"}
