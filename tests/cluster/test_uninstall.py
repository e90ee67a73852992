"""`helm uninstall` leaves no object of ours and no pod."""

import json

from tests.cluster.kube import kubectl, wait_until
from tests.cluster.stack import Stack

# What the test itself made in the namespace, and what Kubernetes puts into every namespace.
NOT_OURS = {
    "configmaps/kube-root-ca.crt",
    "serviceaccounts/default",
    "persistentvolumeclaims/demo-models",
    "jobs.batch/demo-models",
}


def test_uninstall_leaves_nothing(stack: Stack) -> None:
    stack.uninstall()
    kinds = kubectl("api-resources", "--namespaced", "--verbs=list,delete", "-o", "name").split()
    listed = [kind for kind in kinds if not kind.startswith(("events", "podmetrics"))]

    def left() -> set[str]:
        items = json.loads(
            stack.kubectl("get", ",".join(listed), "-o", "json", "--ignore-not-found") or '{"items": []}'
        )["items"]
        names = {
            f"{plural(item)}/{item['metadata']['name']}"
            for item in items
            if not item["metadata"]["name"].startswith("demo-models-")
        }
        return names - NOT_OURS - {name for name in names if "prometheus" in name}

    plurals = {}
    for line in kubectl("api-resources", "--namespaced", "--no-headers").splitlines():
        words = line.split()
        group = words[-3].rpartition("/")[0]
        plurals[(words[-1], words[-3])] = words[0] + (f".{group}" if group else "")

    def plural(item: dict[str, str]) -> str:
        return plurals.get((item["kind"], item["apiVersion"]), item["kind"])

    wait_until("every object of the release to be gone", 120, lambda: not left())
    assert "e2e" not in kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
