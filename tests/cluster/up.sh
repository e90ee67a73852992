#!/usr/bin/env bash
# Brings the local one-node Kubernetes up, as root, from the binaries that tests/tools/build.sh makes.
# A cluster that is up stays as it is; what an interrupted or killed one left behind is cleaned up first.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

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
  { for tool in "${tools[@]}"; do readlink -f "$bin/$tool"; done; cat "$here"/{up.sh,lib.sh,{conf,manifests}/*}; } |
    sha256sum
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

for port in $api_port $etcd_port $etcd_peer_port 10248 10249 10250 10256 10257 10259; do
  taken=$(ss -Hltnp "sport = :$port")
  [ -z "$taken" ] || die "port $port is taken: $taken"
done
rm -rf "${state:?}/log"
mkdir -p "$state"/{pki,run,log,conf,cni,etcd,kubelet,pod-logs,ipam,volumes,host}
chmod 700 "$state/pki" "$state/etcd" "$state"

# --- certificates ----------------------------------------------------------------------------------------------------
pki=$state/pki
openssl_req() { # NAME ARGUMENT...
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout "$pki/$1.key" -out "$pki/$1.crt" \
    -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') "${@:2}" 2> "$pki/.err" || { cat "$pki/.err" >&2; exit 1; }
}
ca() { # NAME
  openssl_req "$1" -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE -addext subjectKeyIdentifier=hash \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
}
cert() { # NAME CA SUBJECT [SAN]
  openssl_req "$1" -subj "$3" -CA "$pki/$2.crt" -CAkey "$pki/$2.key" -addext basicConstraints=critical,CA:FALSE \
    -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth,clientAuth \
    ${4:+-addext "subjectAltName=$4"}
}
user() { # NAME SUBJECT: a certificate and a kubeconfig
  cert "$1" ca "$2"
  (umask 077; cat > "$state/$1.kubeconfig" << YAML
apiVersion: v1
kind: Config
current-context: local
contexts: [{name: local, context: {cluster: local, user: $1}}]
clusters:
- name: local
  cluster: {server: "https://$node_ip:$api_port", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$pki/$1.crt"), client-key-data: $(base64 -w0 "$pki/$1.key")}
YAML
  )
}
ca ca; ca etcd-ca; ca front-proxy-ca
cert etcd etcd-ca /CN=etcd DNS:localhost,IP:127.0.0.1
cert apiserver-etcd etcd-ca /CN=kube-apiserver
cert apiserver ca /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,\
DNS:kubernetes.default.svc.cluster.local,DNS:localhost,DNS:$node,IP:127.0.0.1,IP:$node_ip,IP:$api_ip"
cert apiserver-kubelet ca /O=system:masters/CN=kube-apiserver-kubelet-client
cert front-proxy front-proxy-ca /CN=front-proxy-client
cert kubelet-server ca "/CN=$node" "DNS:$node,IP:$node_ip"
openssl ecparam -name prime256v1 -genkey -noout -out "$pki/sa.key"
openssl ec -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2> /dev/null
user admin /O=system:masters/CN=admin
user kubelet "/O=system:nodes/CN=system:node:$node"
for name in kube-controller-manager kube-scheduler kube-proxy; do user $name /CN=system:$name; done
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
# The weight that the kubelet gives all pods of a node, 1024 a core; else they count as much as one process beside them.
if [ -w "/sys/fs/cgroup/$mark/cpu.weight" ]; then
  echo $((1 + (1024 * $(nproc) - 2) * 9999 / 262142)) > "/sys/fs/cgroup/$mark/cpu.weight" # the kubelet's own formula
elif [ -w "/sys/fs/cgroup/cpu/$mark/cpu.shares" ]; then
  echo $((1024 * $(nproc))) > "/sys/fs/cgroup/cpu/$mark/cpu.shares"
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
start etcd "$bin/etcd" --name default --data-dir "$state/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "https://127.0.0.1:$etcd_port" --advertise-client-urls "https://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$etcd_peer_port" \
  --initial-advertise-peer-urls "http://127.0.0.1:$etcd_peer_port" \
  --initial-cluster "default=http://127.0.0.1:$etcd_peer_port" \
  --cert-file "$pki/etcd.crt" --key-file "$pki/etcd.key" --client-cert-auth --trusted-ca-file "$pki/etcd-ca.crt"
start kube-apiserver "$bin/kube-apiserver" \
  --etcd-servers "https://127.0.0.1:$etcd_port" --etcd-cafile "$pki/etcd-ca.crt" \
  --etcd-certfile "$pki/apiserver-etcd.crt" --etcd-keyfile "$pki/apiserver-etcd.key" \
  --bind-address "$node_ip" --advertise-address "$node_ip" --secure-port "$api_port" \
  --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
  --service-cluster-ip-range "$service_cidr" --allow-privileged \
  --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
  --service-account-issuer https://kubernetes.default.svc.cluster.local \
  --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
  --kubelet-certificate-authority "$pki/ca.crt" --kubelet-client-certificate "$pki/apiserver-kubelet.crt" \
  --kubelet-client-key "$pki/apiserver-kubelet.key" --kubelet-preferred-address-types InternalIP \
  --requestheader-client-ca-file "$pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
  --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
  --requestheader-extra-headers-prefix X-Remote-Extra- --enable-aggregator-routing \
  --proxy-client-cert-file "$pki/front-proxy.crt" --proxy-client-key-file "$pki/front-proxy.key"
wait_for "containerd answers" 60 containerd command ctr -a "$socket" version
"$here/images.sh" pause coredns > /dev/null
say "images of the cluster itself are there"
wait_for "API server ready" 120 kube-apiserver kubectl get --raw /readyz
for name in kube-controller-manager kube-scheduler; do
  arguments=(--kubeconfig "$state/$name.kubeconfig" --authentication-kubeconfig "$state/$name.kubeconfig"
    --authorization-kubeconfig "$state/$name.kubeconfig" --bind-address 127.0.0.1 --leader-elect=false)
  [ $name = kube-scheduler ] || arguments+=(--use-service-account-credentials --root-ca-file "$pki/ca.crt"
    --service-account-private-key-file "$pki/sa.key"
    --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key"
    --service-cluster-ip-range "$service_cidr" --cluster-cidr "$pod_cidr"
    --kube-api-qps 200 --kube-api-burst 400) # the default of 20 makes its own start take 5 s
  start $name "$bin/$name" "${arguments[@]}"
done

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
