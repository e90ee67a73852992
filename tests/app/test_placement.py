"""serve_app.models.placement: what a replica asks of Ray."""

from typing import Any

from serve_app.models.placement import bundle, class_resource, strategy
from serve_app.settings.model import ModelSettings
from tests.app.test_model_settings import ARGS


def settings(**change: Any) -> ModelSettings:
    return ModelSettings.parse(ARGS | change)


def test_a_cpu_replica_is_tied_to_its_class_alone() -> None:
    assert bundle(settings().accelerator) == {"accelerator-class-cpu": 0.001}


def test_a_gpu_replica_takes_a_device() -> None:
    l4 = settings(accelerator={"class": "l4", "resource": "GPU"})
    assert bundle(l4.accelerator) == {"accelerator-class-l4": 0.001, "GPU": 1}
    assert strategy(l4.accelerator, l4.parallelism) == "PACK"


def test_two_replicas_share_a_device() -> None:
    half = settings(accelerator={"class": "l4", "resource": "GPU", "share": 0.5})
    assert bundle(half.accelerator)["GPU"] == 0.5


def test_devices_of_one_pod_are_placed_together_or_not_at_all() -> None:
    four = settings(accelerator={"class": "h100", "resource": "GPU"}, parallelism={"tensor": 4})
    assert strategy(four.accelerator, four.parallelism) == "STRICT_PACK"


def test_a_replica_over_several_pods_goes_to_groups_of_its_shape() -> None:
    two = settings(
        accelerator={"class": "h100", "resource": "GPU", "pods": "2x8"}, parallelism={"tensor": 8, "pipeline": 2}
    )
    assert class_resource(two.accelerator) == "accelerator-class-h100-2x8"
    assert strategy(two.accelerator, two.parallelism) == "PACK"
