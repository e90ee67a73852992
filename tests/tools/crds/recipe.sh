# CRDs of Karpenter, the Gateway API's HTTPRoute and Flux's HelmRelease; nothing is compiled.
mkdir "$out/crds"
for m in sigs.k8s.io/karpenter github.com/aws/karpenter-provider-aws; do cp "$(module_dir $m)"/pkg/apis/crds/*.yaml "$out/crds/"; done
cp "$(module_dir sigs.k8s.io/gateway-api)"/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml "$out/crds/"
cp "$(module_dir github.com/fluxcd/helm-controller)"/config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml "$out/crds/"
