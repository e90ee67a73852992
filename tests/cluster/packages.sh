#!/usr/bin/env bash
# Installs the Debian packages that the tools, images and local cluster need and that are missing. Changes nothing else:
# no service is started, and a command that another package already brings (docker's containerd, say) is left as it is.
# usage: packages.sh [PACKAGE:COMMAND-OR-FILE,...]...   With arguments, these instead.
set -euo pipefail
# shellcheck disable=SC2054 # the commas are ours
needs=( # PACKAGE:COMMAND-OR-FILE...
  containerd:containerd,ctr,containerd-shim-runc-v2 runc:runc containernetworking-plugins:/usr/lib/cni/bridge
  iptables:iptables,ip6tables conntrack:conntrack iproute2:ip,ss kmod:modprobe procps:sysctl util-linux:flock,setsid
  busybox-static:/bin/busybox buildah:buildah debootstrap:debootstrap redis-server:redis-server
  openssl:openssl curl:curl ca-certificates:/etc/ssl/certs/ca-certificates.crt jq:jq git:git make:make
  golang-go:go python3:python3 python3-venv:/usr/lib/python3*/ensurepip
)
[ $# = 0 ] || needs=("$@")
missing=()
for need in "${needs[@]}"; do
  IFS=, read -ra files <<< "${need#*:}"
  for file in "${files[@]}"; do
    compgen -G "$file" > /dev/null || command -v "$file" > /dev/null || { missing+=("${need%%:*}"); break; }
  done
done
if [ ${#missing[@]} = 0 ]; then echo "packages: all ${#needs[@]} are there"; exit; fi
[ "$(id -u)" = 0 ] || { echo "packages.sh: needs root to install: ${missing[*]}" >&2; exit 1; }
command -v apt-get > /dev/null || { echo "packages.sh: no apt-get here; install these: ${missing[*]}" >&2; exit 1; }
if [ ! -e /usr/sbin/policy-rc.d ]; then # the cluster runs its own containerd; a service of the machine is not wanted
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
fi
start=$SECONDS
echo "packages: installing ${missing[*]} ..."
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
dpkg-query -W -f '${Package} ${Version}\n' "${missing[@]}"
echo "packages: installed in $((SECONDS - start)) s"
