"""The verdict on models never says less than Ray Serve's own version rules, in the built serve image."""

import json
import random
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from serve_app.impact.serve_config import AppChange, compare
from tests.app.impact.release import application
from tests.contract.test_serve_config import ROOT, image

__all__ = ["image"]  # the fixture

CHANGES: list[tuple[str, list[Any]]] = [
    ("import_path", ["serve_app.models:build_app", "other.module:app"]),
    ("runtime_env", [{}, {"env_vars": {"A": "b"}}]),
    ("args", [{}, {"a": 1}, {"a": True}, {"a": "1"}, {"a": 1.5, "b": [1, 2]}]),
    ("route_prefix", ["/a", "/b"]),
    ("autoscaling_policy", [None, {"policy_function": "json:dumps"}]),
]
OPTIONS: list[tuple[str, list[Any]]] = [
    ("max_ongoing_requests", [1, 5]),
    ("max_surge_percent", [0, 100]),
    ("graceful_shutdown_timeout_s", [20, 300]),
    ("user_config", [None, {"adapters": {"a": "b"}}]),
    (
        "autoscaling_config",
        [{"min_replicas": 1}, {"min_replicas": 0, "max_replicas": 3}, {"policy": {"policy_function": "json:dumps"}}],
    ),
    ("ray_actor_options", [{"num_cpus": 1}, {"num_cpus": 2}, {"resources": {"a": 1}}]),
    ("placement_group_bundles", [None, [{"CPU": 1}], [{"CPU": 2}]]),
    ("placement_group_strategy", [None, "PACK", "SPREAD"]),
    ("max_replicas_per_node", [None, 1, 2]),
    ("gang_scheduling_config", [None, {"gang_size": 2}, {"gang_size": 4}]),
    ("request_router_config", [{"request_router_class": "json:JSONDecoder"}, {"request_routing_stats_period_s": 5}]),
]


def edited(rng: random.Random, app: dict[str, Any]) -> dict[str, Any]:
    """The application with up to three changes."""
    found = deepcopy(app)
    for _ in range(rng.randrange(4)):
        key, values = rng.choice([*CHANGES, *OPTIONS])
        target = found if key in dict(CHANGES) else rng.choice(found["deployments"])
        target.pop(key, None)
        if (value := rng.choice(values)) is not None:
            target[key] = deepcopy(value)
    if rng.random() < 0.1:
        found["deployments"].append({"name": "Other", "max_ongoing_requests": 3})
    return found


def test_it_never_says_less_than_serve(image: str) -> None:
    rng = random.Random(16)  # noqa: S311 - the same pairs each time
    bases = [edited(rng, application("owl")) for _ in range(600)]
    pairs = [(base, edited(rng, base)) for base in bases]
    script = f"{Path(__file__).parent}:/contract"
    command = ["--bind", script, "--env", "RAY_AUTH_MODE=disabled", image, "python", "/contract/serve_rules.py"]
    line = [sys.executable, str(ROOT / "images/run.py"), *command]
    done = subprocess.run(line, input=json.dumps(pairs), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout[done.stdout.index("[") :])
    taken = [(*pair, answer) for pair, answer in zip(pairs, answers, strict=True) if answer]
    assert len(taken) > len(pairs) / 2  # Serve refuses some
    for old, new, answer in taken:
        found = compare(old, new)
        assert (found.change is AppChange.ROLLS) is answer["code"], (old, new)
        assert answer["code"] or set(answer["restarted"]) == set(found.rolling), (old, new)
    assert {compare(old, new).change for old, new, _ in taken} == set(AppChange)  # the pairs hold every case
