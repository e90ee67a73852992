# shellcheck shell=bash disable=SC2034,SC2100
# Names and helpers that the scripts of the local cluster share. Sourced, never run.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
bin=$cache/bin
state=$cache/cluster            # all that the cluster writes, but for what README.md lists
socket=$state/run/containerd.sock
kubeconfig=$state/admin.kubeconfig
mark=ray-vllm-stack             # cgroup, CNI network, bridge alias, comment of iptables rules: how down.sh knows ours
node=node-1
bridge=rayvllm0                 # bridge of the pods; its address is the node's too
pod_cidr=10.244.0.0/24
node_ip=10.244.0.1
service_cidr=10.96.0.0/16
api_ip=10.96.0.1
dns_ip=10.96.0.10
api_port=6443
etcd_port=2379
etcd_peer_port=2380
controllers_port=10257
scheduler_port=10259
pause_image=localhost/ray-vllm-stack/pause:local
dns_image=localhost/ray-vllm-stack/coredns:local
daemons=(kubelet kube-proxy hostpath-provisioner kube-scheduler kube-controller-manager kube-apiserver etcd containerd)
[ -d /usr/lib/cni ] && cni_bin=/usr/lib/cni || cni_bin=/opt/cni/bin

began=$EPOCHREALTIME
say() { # TEXT...: one line with the seconds since this script began
  local us=$((${EPOCHREALTIME/./} - ${began/./}))
  printf '%4d.%d s  %s\n' $((us / 1000000)) $((us / 100000 % 10)) "$*"
}
die() { echo "${0##*/}: $*" >&2; exit 1; }
ctr() { command ctr -a "$socket" -n k8s.io "$@"; }
kubectl() { "$bin/kubectl" --kubeconfig "$kubeconfig" "$@"; }

lock() { # one up or down at a time, from whichever clone
  mkdir -p "$cache"
  exec 9> "$cache/.cluster.lock"
  flock -n 9 || { say "waiting for another up.sh or down.sh"; flock 9; }
}

bridge_owner() { ip link show dev "$bridge" 2> /dev/null | sed -n "s/^ *alias $mark //p" || true; } # a cluster's state
other_cluster() { # the state of a cluster that is up, on this machine, with another cache
  local owner name; owner=$(bridge_owner)
  [ -n "$owner" ] && [ "$owner" != "$state" ] || return
  for name in "${daemons[@]}"; do running "$name" "$owner" && echo "$owner" && return; done
}

# --- processes: known by process id and start time together, so that a reused id is never taken for ours -------------
running() { # NAME [STATE]
  local pid at stat
  { read -r pid at < "${2:-$state}/run/$1.pid" && read -ra stat < "/proc/$pid/stat"; } 2> /dev/null || return
  [ "${stat[21]}" = "$at" ] && [ "${stat[2]}" != Z ]
}
start() { # NAME COMMAND...: in the background. It records itself, then becomes COMMAND: an interrupt leaves no stray
  local name=$1; shift
  # shellcheck disable=SC2016
  setsid bash -c 'read -ra stat < "/proc/$$/stat"; echo "$$ ${stat[21]}" > "$0"; exec "$@"' \
    "$state/run/$name.pid" "$@" > "$state/log/$name.log" 2>&1 < /dev/null 3>&- 9>&- &
  until [ -s "$state/run/$name.pid" ]; do sleep 0.02; done
}
stop() { # SECONDS NAME...: SIGTERM to all, SIGKILL to what remains; forgets them
  local name pid at i limit=$1; shift
  for name in "$@"; do running "$name" && read -r pid at < "$state/run/$name.pid" && kill "$pid"; done
  for ((i = 0; i < limit * 10; i++)); do
    for name in "$@"; do running "$name" && break; done || break
    sleep 0.1
  done
  for name in "$@"; do running "$name" && read -r pid at < "$state/run/$name.pid" && kill -9 "$pid"; done
  for name in "$@"; do
    while running "$name"; do sleep 0.05; done
    rm -f "$state/run/$name.pid"
  done
}
wait_for() { # WHAT SECONDS NAME COMMAND...: until COMMAND works; fails early where process NAME has ended
  local what=$1 limit=$((SECONDS + $2)) name=$3; shift 3
  until "$@" > /dev/null 2>&1; do
    if ! running "$name" || [ $SECONDS -ge $limit ]; then
      tail -15 "$state/log/$name.log" >&2
      running "$name" || die "$what: $name has ended; above are the last lines of $state/log/$name.log"
      die "$what: not within the time limit; above are the last lines of $state/log/$name.log"
    fi
    sleep 0.1
  done
  say "$what"
}
render() { # FILE: with each @name@ replaced by the variable of that name
  local text name
  text=$(< "$1")
  while [[ $text =~ @([a-z_]+)@ ]]; do name=${BASH_REMATCH[1]}; text=${text//"@$name@"/"${!name}"}; done
  printf '%s\n' "$text"
}
