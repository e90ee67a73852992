module tools/crds

go 1.26.0

require (
	github.com/aws/karpenter-provider-aws v1.14.1
	github.com/fluxcd/helm-controller v1.4.3
	sigs.k8s.io/gateway-api v1.5.1
	sigs.k8s.io/karpenter v1.14.1
)
