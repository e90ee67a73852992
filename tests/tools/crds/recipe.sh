# Karpenter's CRDs; nothing is compiled.
mkdir "$out/crds"
for m in sigs.k8s.io/karpenter github.com/aws/karpenter-provider-aws; do cp "$(module_dir $m)"/pkg/apis/crds/*.yaml "$out/crds/"; done
