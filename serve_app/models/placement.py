"""What a replica asks of Ray: one bundle of resources per device, on the pods of the model's class."""

from serve_app.settings.model import Accelerator, Parallelism

# Every pod of a worker group has 1000 of its class's resource, and a bundle takes this much: it ties the replica to
# the class, and never runs out.
SHARE = 0.001


def class_resource(accelerator: Accelerator) -> str:
    """The Ray resource that only pods of this class have: those of one host, or those of groups of this very shape.

    Were it the same for both, a small model could take a part of a host that a replica over several hosts waits for.
    """
    return "-".join(part for part in ("accelerator-class", accelerator.class_name, accelerator.pods) if part)


def bundle(accelerator: Accelerator) -> dict[str, float]:
    """The resources of one engine worker. Ray adds one CPU to the first of a replica, for the replica itself."""
    resources = {class_resource(accelerator): SHARE}
    if accelerator.resource:
        resources[accelerator.resource] = accelerator.share
    return resources


def workers(parallelism: Parallelism) -> int:
    """Devices of one Serve replica. The ranks of a data parallel group are replicas of their own, which Ray gangs."""
    return parallelism.tensor * parallelism.pipeline


def strategy(accelerator: Accelerator, parallelism: Parallelism) -> str:
    """Ray's placement strategy: devices of one host talk all the time, so they are of one pod, or not placed at all."""
    return "STRICT_PACK" if workers(parallelism) > 1 and not accelerator.pods else "PACK"
