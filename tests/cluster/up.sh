#!/usr/bin/env bash
# Brings the local one-node Kubernetes up, as root, from the binaries that tests/tools/build.sh makes.
# A cluster that is up stays as it is; what an interrupted or killed one left behind is cleaned up first.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=control-plane.sh
. "$here/control-plane.sh"

# --- what must be there ----------------------------------------------------------------------------------------------
[ "$(id -u)" = 0 ] || die "needs root: containers, mounts and iptables are made"
tools=(pause etcd kube coredns hostpath-provisioner)
for tool in "${tools[@]}"; do
  [ -x "$bin/$tool" ] || die "$bin/$tool is missing: run tests/tools/build.sh ${tools[*]}"
done
for command in containerd{,-shim-runc-v2} ctr runc "$cni_bin/bridge" iptables ip ss conntrack openssl setsid flock; do
  command -v "$command" > /dev/null || die "$command is missing: run tests/cluster/packages.sh"
done
[ ${#socket} -le 95 ] || die "$socket is too long for a socket's name: set RAY_VLLM_STACK_CACHE to a shorter directory"
mkdir -p "$state"
case $(stat -f -c %T "$state") in
  overlayfs | nfs) die "$state: containers cannot have their roots on this file system: set RAY_VLLM_STACK_CACHE" ;;
esac
lock
exec 3>&1 # the trap may run while standard output is redirected
trap 'say "interrupted; the next up.sh or down.sh cleans up" >&3; exit 130' INT TERM

made_by() { # the binaries and scripts that this cluster would be made from
  { for tool in "${tools[@]}"; do readlink -f "$bin/$tool"; done
    cat "$here"/{up.sh,lib.sh,control-plane.sh,{conf,manifests}/*}; } | sha256sum
}
healthy() {
  local name
  [ -f "$state/run/up" ] || return
  for name in "${daemons[@]}"; do running "$name" || return; done
  kubectl get --raw /readyz && kubectl wait --for=condition=Ready "node/$node" --timeout=30s
}
! other=$(other_cluster) || die "a cluster is up: RAY_VLLM_STACK_CACHE=${other%/cluster} $here/down.sh ends it"
if healthy > /dev/null 2>&1; then
  say "already up"
  [ "$(< "$state/run/up")" = "$(made_by)" ] || say "note: other scripts or tools started it; down.sh and up.sh renew it"
  exit
fi
owner=$(bridge_owner) # of a dead cluster, perhaps one with another cache
[ -z "$owner" ] || RAY_VLLM_STACK_CACHE=${owner%/cluster} "$here/down.sh" --stale
"$here/down.sh" --stale

for port in $api_port $etcd_port $etcd_peer_port 10248 10249 10250 10256 $controllers_port $scheduler_port; do
  taken=$(ss -Hltnp "sport = :$port")
  [ -z "$taken" ] || die "port $port is taken: $taken"
done
rm -rf "${state:?}/log"
mkdir -p "$state"/{pki,run,log,conf,cni,etcd,kubelet,pod-logs,ipam,volumes,host}
chmod 700 "$state/pki" "$state/etcd" "$state"

# --- certificates ----------------------------------------------------------------------------------------------------
control_plane_certificates
cert kubelet-server ca "/CN=$node" "DNS:$node,IP:$node_ip"
user kubelet "/O=system:nodes/CN=system:node:$node"
user kube-proxy /CN=system:kube-proxy
user hostpath-provisioner /CN=hostpath-provisioner
say "certificates made"

# --- the machine: what down.sh puts back is recorded before it is changed --------------------------------------------
[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter 2> /dev/null ||
  say "warning: no br_netfilter in this kernel: pods on one node reach each other by pod IP, not by Service"
for key in net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables \
  vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops; do
  file=/proc/sys/${key//.//}; [ ! -r "$file" ] || echo "$file $(< "$file")"
done > "$state/host/sysctls"
for dir in /run/containerd{,/s,/fifo,/runc} /var/lib/cni{,/results} /var/lib/kubelet{,/device-plugins} \
  /var/log/containers; do
  [ -d "$dir" ] || echo "$dir"
done > "$state/host/directories"
echo 1 > /proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
ip link add "$bridge" type bridge && ip link set "$bridge" alias "$mark $state"
ip addr add "$node_ip/${pod_cidr#*/}" dev "$bridge"
ip link set "$bridge" up
ip route add "$service_cidr" dev "$bridge" src "$node_ip" # the host reaches Services even without a default route
touch "$state/host/iptables"
iptables -w -t nat -A POSTROUTING -s "$pod_cidr" ! -o "$bridge" -m comment --comment "$mark" -j MASQUERADE
iptables -w -I FORWARD -i "$bridge" -m comment --comment "$mark" -j ACCEPT # where docker's policy is DROP
iptables -w -I FORWARD -o "$bridge" -m comment --comment "$mark" -j ACCEPT
mount --bind "$state/kubelet" "$state/kubelet" # mount propagation needs a shared mount, and "/" may be private
mount --make-rshared "$state/kubelet"
if [ -e /sys/fs/cgroup/cgroup.procs ]; then mkdir -p "/sys/fs/cgroup/$mark" # cgroup v2
else for dir in /sys/fs/cgroup/*/; do mkdir -p "$dir$mark"; done; fi            # v1: a hierarchy for each controller
# A quarter of what the kubelet gives all pods of a node, 1,024 a core: what runs beside them, the control plane and the
# tests, must not wait for them. While an engine generated, a process that sleeps for 50 ms woke up to 2.7 s late with the
# kubelet's weight (kernel 6.18, two cores, three rounds), and 0.12 s with this one; the engine was as fast.
if [ -w "/sys/fs/cgroup/$mark/cpu.weight" ]; then
  echo $((1 + (256 * $(nproc) - 2) * 9999 / 262142)) > "/sys/fs/cgroup/$mark/cpu.weight" # the kubelet's own formula
elif [ -w "/sys/fs/cgroup/cpu/$mark/cpu.shares" ]; then
  echo $((256 * $(nproc))) > "/sys/fs/cgroup/cpu/$mark/cpu.shares"
fi
say "network, mounts and cgroup set up"

# --- runtime and control plane ---------------------------------------------------------------------------------------
grep -vE '^nameserver +(127\.|::1)' /etc/resolv.conf > "$state/conf/resolv.conf" || true # not the host's loopback
[ ! -r /run/systemd/resolve/resolv.conf ] || cp /run/systemd/resolve/resolv.conf "$state/conf/resolv.conf"
# shellcheck disable=SC2034 # render uses these two
disabled_plugins=''
# shellcheck disable=SC2034
if grep -q '^nameserver' "$state/conf/resolv.conf"; then forward='forward . /etc/resolv.conf'; else forward=''; fi
for file in containerd.toml kubelet.yaml kube-proxy.yaml; do render "$here/conf/$file" > "$state/conf/$file"; done
open_files=$(ulimit -Hn); [ "$open_files" != unlimited ] || open_files=1000000
echo "maxOpenFiles: $open_files" >> "$state/conf/kubelet.yaml" # its default is above the hard limit of some machines
render "$here/conf/cni.conflist" > "$state/cni/10-pods.conflist"
start containerd containerd --config "$state/conf/containerd.toml"
start_api_server
wait_for "containerd answers" 60 containerd command ctr -a "$socket" version
"$here/images.sh" pause coredns > /dev/null
say "images of the cluster itself are there"
wait_for "API server ready" 120 kube-apiserver kubectl get --raw /readyz
start_controllers

# --- node ------------------------------------------------------------------------------------------------------------
start kubelet "$bin/kubelet" --config "$state/conf/kubelet.yaml" --kubeconfig "$state/kubelet.kubeconfig" \
  --root-dir "$state/kubelet" --cert-dir "$state/kubelet/pki" --hostname-override "$node" --node-ip "$node_ip"
start kube-proxy "$bin/kube-proxy" --config "$state/conf/kube-proxy.yaml"
for file in storage coredns; do render "$here/manifests/$file.yaml" | kubectl apply --server-side -f - > /dev/null; done
start hostpath-provisioner "$bin/hostpath-provisioner" -root "$state/volumes" \
  -kubeconfig "$state/hostpath-provisioner.kubeconfig"
wait_for "node Ready" 120 kubelet kubectl wait --for=condition=Ready "node/$node" --timeout=5s
dns_ready() { [ "$(kubectl -n kube-system get deployment coredns -o 'jsonpath={.status.readyReplicas}')" = 1 ]; }
wait_for "cluster DNS ready" 120 kubelet dns_ready
made_by > "$state/run/up"
say "up: export KUBECONFIG=$kubeconfig PATH=$bin:\$PATH"
