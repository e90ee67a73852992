"""What replaces replicas in Serve; tests/contract asks Ray itself."""

from copy import deepcopy
from typing import Any

import pytest

from serve_app.impact.errors import ImpactError
from serve_app.impact.serve_config import AppChange, compare, parse
from tests.app.impact.release import application

POLICY = {"policy": {"policy_function": "a:b"}}
EDITS: dict[str, tuple[dict[str, Any], dict[str, Any], AppChange]] = {
    "nothing": ({}, {}, AppChange.SAME),
    "engine argument": ({"args": {"engine": {"max_model_len": 1}}}, {}, AppChange.ROLLS),
    "a number that is true": ({"args": {"a": True}}, {"args": {"a": 1}}, AppChange.ROLLS),
    "import path": ({"import_path": "a:b"}, {}, AppChange.ROLLS),
    "runtime_env, empty as by default": ({"runtime_env": {}}, {}, AppChange.IN_PLACE),
    "runtime_env": ({"runtime_env": {"env_vars": {"A": "b"}}}, {}, AppChange.ROLLS),
    "application's policy": ({"autoscaling_policy": {"policy_function": "a:b"}}, {}, AppChange.ROLLS),
    "deployment's policy": ({"override": {"autoscaling_config": {"min_replicas": 1} | POLICY}}, {}, AppChange.ROLLS),
    "first autoscaling": ({"override": {"autoscaling_config": None}}, {}, AppChange.ROLLS),
    "router": ({"override": {"request_router_config": {"request_router_class": "a:b"}}}, {}, AppChange.ROLLS),
    "deployment actors": ({"override": {"deployment_actors": [{"name": "a"}]}}, {}, AppChange.ROLLS),
    "bounds": ({"override": {"autoscaling_config": {"min_replicas": 2, "max_replicas": 3}}}, {}, AppChange.IN_PLACE),
    "surge": ({"override": {"max_surge_percent": 0}}, {}, AppChange.IN_PLACE),
    "adapters": ({"override": {"user_config": {"adapters": {"a": "b"}}}}, {}, AppChange.IN_PLACE),
    "requests at once": ({"override": {"max_ongoing_requests": 1}}, {}, AppChange.IN_PLACE),
    "route prefix": ({"route_prefix": "/other"}, {}, AppChange.IN_PLACE),
    "actor options": ({"override": {"ray_actor_options": {"num_cpus": 2}}}, {}, AppChange.DEPLOYMENTS_ROLL),
    "placement": ({"override": {"placement_group_strategy": "SPREAD"}}, {}, AppChange.DEPLOYMENTS_ROLL),
    "replicas of a node": ({"override": {"max_replicas_per_node": 1}}, {}, AppChange.DEPLOYMENTS_ROLL),
    "gangs": ({"override": {"gang_scheduling_config": {"gang_size": 2}}}, {}, AppChange.DEPLOYMENTS_ROLL),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_becomes_of_the_replicas(name: str) -> None:
    changes, before, change = EDITS[name]
    old = application("owl", **deepcopy(before))
    new = application("owl", **deepcopy(changes))
    assert compare(old, new).change is change
    assert compare(new, old).change is change


def test_only_the_deployment_that_changes_rolls() -> None:
    old = application("owl")
    old["deployments"].append({"name": "Decode:owl"})
    new = deepcopy(old)
    new["deployments"][1]["ray_actor_options"] = {"num_cpus": 2}
    assert compare(old, new).rolling == ("Decode:owl",)


def test_an_override_with_autoscaling_that_comes_later_rolls_all() -> None:
    old = application("owl")
    new = deepcopy(old)
    new["deployments"].append({"name": "Decode:owl", "autoscaling_config": {"min_replicas": 1}})
    assert compare(old, new).change is AppChange.ROLLS


@pytest.mark.parametrize(("text", "why"), [("a: [", "no YAML"), ("[a]", "no map")])
def test_what_it_cannot_read(text: str, why: str) -> None:
    with pytest.raises(ImpactError, match=why):
        parse(text)
