"""A small release as manifests, to be edited by tests."""

from copy import deepcopy
from typing import Any

import yaml

from serve_app.impact import manifests, verdict
from serve_app.impact.effects import Effect, Finding
from serve_app.impact.manifests import Key, Object


def application(name: str, **changes: Any) -> Object:
    """A model's Serve application with one replica on an l4, which surges."""
    override = {
        "name": f"LLMServer:{name}",
        "max_ongoing_requests": 128,
        "max_surge_percent": 100,
        "graceful_shutdown_timeout_s": 300,
        "autoscaling_config": {"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 32},
    }
    args = {"model_id": name, "accelerator": {"class": "l4", "resource": "GPU"}, "engine": {"max_model_len": 4096}}
    whole = {"name": name, "route_prefix": f"/models/{name}", "import_path": "serve_app.models:build_app"}
    return {**whole, "args": args, "deployments": [override | changes.pop("override", {})], **changes}


def group(name: str, **changes: Any) -> Object:
    """A worker group of pods with one device of a class."""
    resources = {"requests": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}}
    container = {"name": "ray-worker", "image": "serve:1", "resources": resources}
    spec = {"containers": [container], "nodeSelector": {"ray-vllm-stack.io/node-pool": "pool"}}
    params = {"num-gpus": "1", "resources": f"'{{\"accelerator-class-{name}\":1000}}'"}
    bounds = {"minReplicas": 0, "maxReplicas": 8}
    return {"groupName": name, **bounds, "rayStartParams": params, "template": {"spec": spec}, **changes}


def service(*models: Object, name: str = "main", groups: list[Object] | None = None, **spec: Any) -> Object:
    """The RayService of a cluster."""
    head = {"rayStartParams": {}, "template": {"spec": {"containers": [{"name": "ray-head", "image": "serve:1"}]}}}
    config = {"rayVersion": "2.60.0", "headGroupSpec": head, "workerGroupSpecs": groups or [group("l4")]}
    serve = yaml.safe_dump({"proxy_location": "EveryNode", "applications": list(models)})
    metadata = {"name": f"demo-{name}", "namespace": "llm", "labels": {"ray-vllm-stack.io/cluster": name}}
    whole = {"upgradeStrategy": {"type": "NewCluster"}, "serveConfigV2": serve, "rayClusterConfig": config, **spec}
    return {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": metadata, "spec": whole}


def thing(kind: str, name: str, api: str = "v1", component: str = "", **fields: Any) -> Object:
    """Any other object."""
    labels = {"app.kubernetes.io/component": component} | fields.pop("labels", {})
    annotations = fields.pop("annotations", {})
    metadata = {"name": name, "namespace": "llm", "labels": labels, "annotations": annotations}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def deployment(name: str, component: str = "gateway", image: str = "a", **fields: Any) -> Object:
    """A Deployment of one pod that surges."""
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"spec": {"containers": [{"image": image}]}},
    }
    labels = fields.pop("labels", {})
    return thing("Deployment", name, "apps/v1", component, labels=labels, spec=spec | fields)


def held(*objects: Object) -> dict[Key, Object]:
    """Objects as the verdict reads them, which a test may change afterwards."""
    return {manifests.key(each): deepcopy(each) for each in objects}


def compared(old: Object | list[Object], new: Object | list[Object], quotas: Any = ()) -> dict[str, Finding]:
    """Subject -> its worst finding, those that are untouched left out."""
    before, after = (held(*(each if isinstance(each, list) else [each])) for each in (old, new))
    found = verdict.compare(before, after, quotas)
    return {each.subject: each for each in reversed(found.findings) if each.effect is not Effect.UNTOUCHED}


def effects(old: Object | list[Object], new: Object | list[Object], quotas: Any = ()) -> dict[str, Effect]:
    """Subject -> effect."""
    return {subject: each.effect for subject, each in compared(old, new, quotas).items()}
