"""Fields that an API server lets nobody change, by kind."""

from serve_app.impact.manifests import Object, at, differences, same

_FIELDS: dict[str, tuple[str, ...]] = {
    "Deployment.apps": ("spec.selector",),
    "DaemonSet.apps": ("spec.selector",),
    "StatefulSet.apps": ("spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"),
    "Job.batch": ("spec.selector", "spec.template", "spec.completions", "spec.completionMode"),
    "RoleBinding.rbac.authorization.k8s.io": ("roleRef",),
    "ClusterRoleBinding.rbac.authorization.k8s.io": ("roleRef",),
    "PriorityClass.scheduling.k8s.io": ("value", "preemptionPolicy"),
    "StorageClass.storage.k8s.io": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "Secret": ("type",),
    "RayService.ray.io": ("spec.managedBy",),
    "NodePool.karpenter.sh": ("spec.template.spec.nodeClassRef.group", "spec.template.spec.nodeClassRef.kind"),
    "EC2NodeClass.karpenter.k8s.aws": ("spec.role", "spec.instanceProfile"),
}
_CLAIM = ("resources", "volumeAttributesClassName")
_SERVICE = ("spec.clusterIP", "spec.clusterIPs")


def refused(kind: str, old: Object, new: Object) -> list[str]:
    """Paths of changes that the API server refuses."""
    found = [path for path in _FIELDS.get(kind, ()) if not same(at(old, path), at(new, path))]
    if kind == "Service":  # the API server keeps what a manifest leaves out
        found += [path for path in _SERVICE if at(new, path) and not same(at(old, path), at(new, path))]
    if kind == "PersistentVolumeClaim":
        was, to = (
            {key: value for key, value in (each.get("spec") or {}).items() if key not in _CLAIM} for each in (old, new)
        )
        found += [f"spec.{path}" for path in differences(was, to)]
    if kind in ("ConfigMap", "Secret") and old.get("immutable"):
        found += [path for path in ("data", "binaryData", "stringData") if not same(old.get(path), new.get(path))]
    return found
