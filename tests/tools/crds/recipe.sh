# CRDs of Karpenter, and the Gateway API's HTTPRoute; nothing is compiled.
mkdir "$out/crds"
for m in sigs.k8s.io/karpenter github.com/aws/karpenter-provider-aws; do cp "$(module_dir $m)"/pkg/apis/crds/*.yaml "$out/crds/"; done
cp "$(module_dir sigs.k8s.io/gateway-api)"/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml "$out/crds/"
