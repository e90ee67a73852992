# Without the stamps helm 3 takes the cluster of `helm template` and `helm lint` for v1.20.
stamp="-X helm.sh/helm/v3/internal/version.version=$(module_version helm.sh/helm/v3)"
for p in pkg/chartutil pkg/lint/rules; do stamp+=" -X helm.sh/helm/v3/$p.k8sVersionMajor=1 -X helm.sh/helm/v3/$p.k8sVersionMinor=34"; done
go_build helm3 helm.sh/helm/v3/cmd/helm "$stamp"
