#!/usr/bin/env bash
# Takes the local cluster down and puts the machine back as it was, whatever state the cluster is in: running, half
# started, or killed. Ends only processes that up.sh recorded, shims of this cluster's socket, what runs in its cgroup.
# Kept for the next up.sh: containerd's images, logs of the daemons.   --purge removes these too.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || die "needs root"
option=${1:-}
case $option in '' | --purge | --stale) ;; *) die "usage: down.sh [--purge]" ;; esac
[ "$option" = --stale ] || lock # --stale: up.sh calls, and has the lock

mounts() { awk -v s="$state/" 'index($5, s) == 1 {print $5}' /proc/self/mountinfo | sort -r; }
cgroups() { find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d -name "$mark" -prune; } # v2: one; v1: one a controller
pod_processes() { cgroups | while read -r dir; do find "$dir" -name cgroup.procs -exec cat {} +; done | sort -u; }
shims() { # of this cluster's containerd: its socket is an argument of theirs
  local pid
  grep -lzxF -- "$socket" /proc/[0-9]*/cmdline 2> /dev/null | while IFS=/ read -r _ _ pid _; do
    [[ $(cat "/proc/$pid/comm" 2> /dev/null) != containerd-shim* ]] || echo "$pid"
  done
}
if other=$(other_cluster); then say "nothing is up of $state; the cluster of $other is left alone"; exit; fi
our_bridge() { [ -n "$(bridge_owner)" ]; }
if [ -z "$(ls "$state/host" "$state/run" 2> /dev/null)$(mounts)" ] && ! our_bridge; then
  [ "$option" = --stale ] || say "nothing is up"
  [ "$option" != --purge ] || { rm -rf "$state"; say "state removed"; }
  exit 0
fi
[ "$option" != --stale ] || say "cleaning up what an earlier run left behind"
rm -f "$state/run/up"

# --- processes -------------------------------------------------------------------------------------------------------
stop 3 "${daemons[@]}"
for _ in {1..50}; do
  mapfile -t pids < <(shims; pod_processes)
  [ ${#pids[@]} -gt 0 ] || break
  kill -9 "${pids[@]}" 2> /dev/null
  sleep 0.1
done
say "processes ended"

# --- mounts, then what containerd and the kubelet keep on disk -------------------------------------------------------
for flag in '' '' -l; do
  while read -r mount; do umount $flag "$(printf %b "$mount")" 2> /dev/null; done < <(mounts)
done
[ -z "$(mounts)" ] || die "still mounted: $(mounts)"
for file in "$state"/run/containerd/io.containerd.runtime.v2.task/k8s.io/*/address; do # sockets of killed shims
  [ ! -f "$file" ] || { address=$(< "$file"); rm -f "${address#unix://}"; }
done
rm -rf --one-file-system "$state"/{run/containerd,run/runc,containerd/io.containerd.grpc.v1.cri,kubelet,pod-logs} \
  "$state"/{volumes,etcd,pki,cni,ipam,.image-*,*.kubeconfig}
rm -f /var/lib/cni/results/"$mark"-*
forget_containers() { # containerd's database still names the containers, and would take them up again; images stay
  [ -s "$state/containerd/io.containerd.metadata.v1.bolt/meta.db" ] && command -v containerd > /dev/null || return 0
  # shellcheck disable=SC2034 # render uses it
  local disabled_plugins='"io.containerd.grpc.v1.cri",' name names
  mkdir -p "$state"/{conf,log,run}
  render "$here/conf/containerd.toml" > "$state/conf/containerd-without-cri.toml"
  start containerd containerd --config "$state/conf/containerd-without-cri.toml"
  for _ in {1..100}; do ctr version > /dev/null 2>&1 && break; sleep 0.1; done
  mapfile -t names < <(ctr containers ls -q)
  [ ${#names[@]} = 0 ] || ctr containers delete "${names[@]}"
  for name in "${names[@]}"; do rm -f /var/lib/cni/results/*-"$name"-*; done
  mapfile -t names < <(ctr snapshots ls | awk '$3 == "Active" {print $1}') # of what was being made or unpacked
  [ ${#names[@]} = 0 ] || ctr snapshots delete "${names[@]}"
  stop 3 containerd
}
forget_containers
say "mounts and containers gone"

# --- network, cgroup, sysctls, fixed directories ---------------------------------------------------------------------
clean_table() { # IPTABLES TABLE: the chains of kube-proxy, kubelet and portmap plugin, and our rules; at one stroke
  local rules chains
  rules=$("$1" -w -t "$2" -S 2> /dev/null) || return 0
  chains=$(sed -nE 's/^-N ((KUBE|CNI)-.*)/\1/p' <<< "$rules")
  {
    echo "*$2"
    grep -E '^-A (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) ' <<< "$rules" |
      grep -E -- "-j (KUBE|CNI)-|--comment \"?$mark\"? " | sed 's/^-A/-D/'
    sed -n 's/..*/:& - [0:0]/p' <<< "$chains"
    sed -n 's/..*/-X &/p' <<< "$chains"
    echo COMMIT
  } | "$1-restore" -w --noflush
}
if [ -f "$state/host/iptables" ] || our_bridge; then
  for command in iptables ip6tables; do
    for table in nat filter mangle raw; do clean_table $command $table; done
  done
fi
if our_bridge; then
  ip -o link show master "$bridge" | awk -F '[:@] *' '{print $2}' | while read -r port; do ip link del "$port"; done
  ip link del "$bridge"
fi
cgroups | while read -r dir; do find "$dir" -depth -type d -exec rmdir {} +; done
if [ -f "$state/host/sysctls" ]; then
  while read -r file value; do [ "$(< "$file")" = "$value" ] || echo "$value" > "$file"; done < "$state/host/sysctls"
fi
for link in /var/log/containers/*; do [[ ! -L $link || $(readlink "$link") != "$state"/* ]] || rm -f "$link"; done
if [ -f "$state/host/directories" ]; then # only those that up.sh did not find there
  ! grep -qx /var/lib/kubelet/device-plugins "$state/host/directories" || rm -f /var/lib/kubelet/device-plugins/*
  tac "$state/host/directories" | while read -r dir; do rmdir "$dir" 2> /dev/null; done
fi
rm -rf "$state"/{run,host}
say "network, cgroup, sysctls as before"
[ "$option" != --purge ] || { rm -rf "$state"; say "state removed"; }
[ "$option" = --stale ] || say "down"
