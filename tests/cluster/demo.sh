#!/usr/bin/env bash
# `make demo`: from nothing to streamed tokens through `helm install`.
# CLUSTER=current uses the current kubeconfig context, and images that its nodes can pull, instead of the local cluster.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); cd "$here/../.."
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
export PATH=$cache/bin:$cache/venv/bin:$PATH PYTHONPATH=$PWD
case ${CLUSTER:-local} in
  local)
    tests/cluster/prepare.sh pause hostpath-provisioner etcd kube coredns helm4 kuberay-operator
    export KUBECONFIG=$cache/cluster/admin.kubeconfig ;;
  current)
    tests/tools/venv.sh > /dev/null
    for tool in helm kubectl; do command -v $tool > /dev/null || { echo "demo.sh: $tool is not on the PATH; \`make tools TOOLS=\"kube helm4\"\` builds both" >&2; exit 1; }; done
    tests/cluster/kuberay-chart.sh ;;
  *) echo "demo.sh: CLUSTER is \"$CLUSTER\"; use local (the default) or current" >&2; exit 2 ;;
esac
exec python -m tests.cluster.demo
