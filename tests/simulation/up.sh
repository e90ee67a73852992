#!/usr/bin/env bash
# Brings the simulation up: a real control plane, Karpenter and KubeRay's operator, on nodes that are objects only. Needs
# no root and no container. One that is up with the same instance types stays.   usage: up.sh INSTANCE-TYPES.json
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
tools=(etcd kube karpenter-kwok kwok kuberay-operator crds)
[ $# = 1 ] && [ -r "$1" ] || die "usage: up.sh INSTANCE-TYPES.json"
for tool in "${tools[@]}"; do
  [ -e "$cache/tools/$tool" ] || die "$cache/tools/$tool is missing: run tests/tools/build.sh ${tools[*]}"
done
healthy() {
  local name
  for name in "${daemons[@]}"; do running "$name" || return; done
  cmp -s "$1" "$state/instance-types.json" && kubectl get --raw /readyz > /dev/null && kubectl get node base > /dev/null
}
if healthy "$1"; then say "already up"; exit; fi
"$simulation/down.sh"
mkdir -p "$state"/{pki,run,log,etcd}
chmod 700 "$state" "$state/pki" "$state/etcd"
cp "$1" "$state/instance-types.json"

control_plane_certificates
start_api_server
wait_for "API server ready" 120 kube-apiserver kubectl get --raw /readyz
start_controllers
crds=(-f "$cache/tools/karpenter-kwok/crds" -f "$cache/tools/kuberay-operator/config/crd/bases")
for file in "$cache"/tools/crds/crds/karpenter.k8s.aws_*; do crds+=(-f "$file"); done
kubectl create "${crds[@]}" > /dev/null # `apply --server-side` of KubeRay's takes the API server 30 s
wait_for "their kinds established" 90 kube-apiserver kubectl wait --for=condition=Established crd --all --timeout=60s

stages=()
for stage in node/fast/node-initialize node/heartbeat-with-lease/node-heartbeat-with-lease pod/fast/pod-ready \
  pod/fast/pod-complete pod/fast/pod-delete; do stages+=(--config "$cache/tools/kwok/stage/$stage.yaml"); done
start kwok "$bin/kwok" --kubeconfig "$kubeconfig" --manage-all-nodes=false \
  --manage-nodes-with-annotation-selector kwok.x-k8s.io/node=fake --server-address "127.0.0.1:$kwok_port" "${stages[@]}"
export KUBECONFIG=$kubeconfig
# No node before kwok's server answers: a first node's stages and the server's metrics then write one map at the same time,
# which ends kwok 0.8.0 now and then.
wait_for "kwok ready" 30 kwok curl -fs "http://127.0.0.1:$kwok_port/healthz"
kubectl apply --server-side -f "$simulation/base.yaml" > /dev/null
start kuberay-operator "$bin/kuberay-operator" --enable-leader-election=false --use-kubernetes-proxy=false \
  --metrics-addr "127.0.0.1:$operator_port" --health-probe-bind-address "127.0.0.1:$operator_health_port"
DRY_OFFERINGS=$state/dry-offerings.json start karpenter-kwok "$bin/karpenter-kwok" \
  --instance-types-file-path "$state/instance-types.json" --disable-leader-election \
  --metrics-port "$karpenter_port" --health-probe-port "$karpenter_health_port"
wait_for "Karpenter ready" 60 karpenter-kwok curl -fs "http://127.0.0.1:$karpenter_health_port/readyz"
wait_for "KubeRay's operator ready" 60 kuberay-operator curl -fs "http://127.0.0.1:$operator_health_port/readyz"
wait_for "the node for what needs no device ready" 60 kwok kubectl wait --for=condition=Ready node/base --timeout=1s
