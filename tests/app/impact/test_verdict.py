"""The verdict on releases: what is said of which thing."""

from copy import deepcopy
from typing import Any

import pytest

from serve_app.impact import verdict
from serve_app.impact.effects import Effect
from serve_app.impact.manifests import Object, key
from tests.app.impact.release import application, compared, deployment, effects, group, held, service, thing

OWL, WREN = application("owl"), application("wren")
ENGINE = {**OWL["args"], "engine": {"max_model_len": 1}}


def with_image(image: str, *models: Object, **spec: Any) -> Object:
    found = service(*(models or (OWL,)), **spec)
    found["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"] = image
    return found


def test_an_edit_of_one_model_is_said_of_that_model() -> None:
    assert effects(service(OWL, WREN), service(application("owl", args=ENGINE), WREN)) == {"model owl": Effect.ROLLS}


def test_a_roll_says_what_it_takes() -> None:
    found = compared(service(OWL), service(application("owl", args=ENGINE)))["model owl"]
    assert "1 device of class l4 (up to 4 at full scale) more until the old ones have drained (300 s)" in found.why
    assert found.changed == ("args.engine.max_model_len",)


def test_a_single_replica_without_surge_is_away() -> None:
    found = compared(service(OWL), service(application("owl", args=ENGINE, override={"max_surge_percent": 0})))[
        "model owl"
    ]
    assert (found.effect, found.instead[:38]) == (Effect.DOWNTIME, "models.owl.rollout.maxSurgePercent: 10")
    several = {"max_surge_percent": 0, "autoscaling_config": {"min_replicas": 2, "max_replicas": 4}}
    assert effects(service(OWL), service(application("owl", args=ENGINE, override=several))) == {
        "model owl": Effect.ROLLS
    }


def test_models_come_and_go() -> None:
    assert effects(service(OWL), service(OWL, WREN)) == {"model wren": Effect.CREATED}
    assert effects(service(OWL, WREN), service(OWL)) == {"model wren": Effect.REMOVED}


def test_a_new_cluster_takes_every_model_along() -> None:
    found = compared(
        service(OWL), with_image("serve:2", application("owl", args=ENGINE, override={"max_surge_percent": 0}))
    )
    assert {subject: each.effect for subject, each in found.items()} == {
        "cluster main": Effect.NEW_CLUSTER,
        "model owl": Effect.ROLLS,
    }
    assert "1 device of class l4 more at least" in found["cluster main"].why
    assert "second cluster with the new image" in found["cluster main"].instead
    assert "the old one answers until" in found["model owl"].why


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("NewCluster", "None", Effect.IN_PLACE),
        ("None", "NewCluster", Effect.NEW_CLUSTER),  # with all that was held back
        ("None", "None", Effect.IN_PLACE),
        ("NewCluster", "NewClusterWithIncrementalUpgrade", Effect.NEW_CLUSTER),
    ],
)
def test_the_strategy_decides(before: str, after: str, effect: Effect) -> None:
    old = service(OWL, upgradeStrategy={"type": before})
    new = with_image("serve:2", OWL, upgradeStrategy={"type": after})
    assert effects(old, new)["cluster main"] is effect


def test_what_serve_takes_at_its_start_only_is_said() -> None:
    new = service(OWL)
    new["spec"]["serveConfigV2"] += "http_options: {port: 8001}\n"
    found = compared(service(OWL), new)["cluster main"]
    assert (found.effect, "next new cluster" in found.why) == (Effect.IN_PLACE, True)


def test_a_model_that_moves_is_away() -> None:
    old = [service(OWL, WREN), service(name="other")]
    new = [service(OWL), service(WREN, name="other")]
    found = compared(old, new)
    assert {subject: each.effect for subject, each in found.items()} == {"model wren": Effect.DOWNTIME}
    assert "from RayService demo-main to RayService demo-other" in found["model wren"].why
    alone = deployment("demo-model-wren", "standalone", labels={"ray-vllm-stack.io/model": "wren"})
    assert effects(service(OWL, WREN), [service(OWL), alone]) == {"model wren": Effect.DOWNTIME}


def test_a_cluster_comes_and_goes_with_its_models() -> None:
    other = service(WREN, name="other")
    assert effects(service(OWL), [service(OWL), other]) == dict.fromkeys(
        ("cluster other", "model wren"), Effect.CREATED
    )
    assert effects([service(OWL), other], service(OWL)) == dict.fromkeys(
        ("cluster other", "model wren"), Effect.REMOVED
    )


def test_who_manages_a_service_cannot_change() -> None:
    found = effects(service(OWL), service(OWL, managedBy="kueue.x-k8s.io/multikueue"))
    assert found == {"RayService demo-main": Effect.REFUSED}


def test_digests_stand_for_one_edit_of_ray() -> None:
    old, new = held(service(OWL)), held(with_image("serve:2"))
    digest = verdict.compare(old, new).digest
    assert digest == verdict.compare(old, new | held(deployment("gateway"))).digest  # no business of Ray's
    live = deepcopy(service(OWL))
    live["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["numOfHosts"] = 1  # as the API server has it
    assert digest == verdict.compare(held(live), new).digest
    assert digest != verdict.compare(old, held(with_image("serve:3"))).digest
    assert digest != verdict.compare(new, new).digest


def test_a_roll_without_a_free_pod_has_no_room() -> None:
    rolled = application("owl", args=ENGINE)
    full = [group("l4", maxReplicas=2)]
    found = compared(service(OWL, WREN, groups=full), service(rolled, WREN, groups=full))
    assert found["model owl"].effect is Effect.NO_ROOM
    assert "needs 1 device of class l4 more, the models' fewest replicas have 2" in found["model owl"].why
    raised = [group("l4", maxReplicas=8)]  # which KubeRay keeps for later
    assert effects(service(OWL, WREN, groups=full), service(rolled, WREN, groups=raised))["model owl"] is Effect.NO_ROOM
    assert effects(service(OWL, WREN, groups=raised), service(rolled, WREN, groups=raised)) == {
        "model owl": Effect.ROLLS
    }


@pytest.mark.parametrize(("limit", "effect"), [("1", Effect.NO_ROOM), ("2", Effect.NEW_CLUSTER)])
def test_two_clusters_fit_the_node_pool_or_not(limit: str, effect: Effect) -> None:
    pool = thing("NodePool", "pool", "karpenter.sh/v1", spec={"limits": {"nvidia.com/gpu": limit}})
    assert effects([service(OWL), pool], [with_image("serve:2"), pool])["cluster main"] is effect


@pytest.mark.parametrize(
    ("spot", "effect"),
    [
        ({"nvidia.com/gpu": "1"}, Effect.NEW_CLUSTER),
        ({}, Effect.NEW_CLUSTER),
        ({"nvidia.com/gpu": "0"}, Effect.NO_ROOM),
    ],
)
def test_two_clusters_fit_the_pools_of_spot_and_on_demand_nodes_together(spot: dict[str, str], effect: Effect) -> None:
    template = {"metadata": {"labels": {"ray-vllm-stack.io/node-pool": "pool"}}}
    pools = [
        thing("NodePool", name, "karpenter.sh/v1", spec={"limits": limits, "template": template})
        for name, limits in {"pool.spot": spot, "pool": {"nvidia.com/gpu": "1"}}.items()
    ]
    assert effects([service(OWL), *pools], [with_image("serve:2"), *pools])["cluster main"] is effect


@pytest.mark.parametrize(("used", "effect"), [("8", Effect.NO_ROOM), ("7", Effect.NEW_CLUSTER)])
def test_a_new_cluster_fits_the_quota_or_not(used: str, effect: Effect) -> None:
    status = {"hard": {"requests.nvidia.com/gpu": "8"}, "used": {"requests.nvidia.com/gpu": used}}
    quota = {"metadata": {"name": "gpus"}, "status": status}
    assert effects(service(OWL), with_image("serve:2"), [quota])["cluster main"] is effect


def test_a_job_that_is_edited_touches_no_serving() -> None:
    def job(number: int) -> Object:
        labels = {"ray-vllm-stack.io/job": "reviews"}
        return thing("RayJob", f"demo-reviews-{number}", "ray.io/v1", labels=labels, spec={"entrypoint": "x"})

    old, new = ({key(each): each for each in (service(OWL), job(number))} for number in (1, 2))
    found = verdict.compare(old, new)
    (edited,) = [each for each in found.findings if each.subject == "job reviews"]
    assert edited.effect is Effect.IN_PLACE
    assert edited.why.startswith("it begins anew on a Ray cluster of its own, without the parts that are written")
    assert found.worst is Effect.IN_PLACE
    (gone,) = [each for each in verdict.compare(old, {key(service(OWL)): service(OWL)}).findings if each.why]
    assert (gone.subject, gone.effect) == ("job reviews", Effect.REMOVED)
