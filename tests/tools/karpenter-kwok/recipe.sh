# Karpenter with its kwok provider: nodes are objects only, instance types come from a file. With the CRDs of both.
go_build karpenter-kwok .
m=$(module_dir sigs.k8s.io/karpenter)
mkdir "$out/crds"; cp "$m"/pkg/apis/crds/*.yaml "$m"/kwok/apis/crds/*.yaml "$out/crds/"
