# shellcheck shell=bash disable=SC2034
# The local cluster's names and helpers, with other places: both may run at once. Sourced, never run.
# shellcheck source-path=SCRIPTDIR source=../cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cluster/lib.sh"
simulation=$root/tests/simulation
state=$cache/simulation
kubeconfig=$state/admin.kubeconfig
node_ip=127.0.0.1
api_port=16443
etcd_port=12379
etcd_peer_port=12380
controllers_port=11257
scheduler_port=11259
karpenter_port=11180         # its metrics; kubelets' metrics and the operator's are on the next ones
karpenter_health_port=11181
operator_port=11182
operator_health_port=11183
kwok_port=11184
daemons=(karpenter-kwok kuberay-operator kwok kube-scheduler kube-controller-manager kube-apiserver etcd)
# shellcheck source-path=SCRIPTDIR source=../cluster/control-plane.sh
. "$here/control-plane.sh"
