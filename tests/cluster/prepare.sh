#!/usr/bin/env bash
# Everything that the demo and the cluster tests need, up to a local cluster that has the images; says what took how long.
# usage: prepare.sh TOOL...   Built things are reused; a second run takes seconds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); cd "$here/../.."
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
mkdir -p "$cache"
table=()
step() { # NAME COMMAND...
  local name=$1 start=$SECONDS; shift
  printf '\n== %s\n' "$name"
  "$@"
  table+=("$(printf '%5d s  %s' $((SECONDS - start)) "$name")")
}
room() {
  local disk memory
  disk=$(df --output=avail -m "$cache" | tail -1); memory=$(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
  echo "free: $((disk / 1024)) GiB of disk at $cache, $((memory / 1024)) GiB of memory"
  # From nothing: Go's caches 11 GB while tools build, image storage 7 GB, containerd 7 GB. Built already: room to run.
  local need=6000; [ -d "$cache/tools/kube" ] && [ -d "$cache/buildah" ] || need=25000
  [ "$disk" -gt $need ] || { echo "prepare.sh: needs $((need / 1000)) GB of disk at $cache; free some, or set RAY_VLLM_STACK_CACHE to another disk" >&2; exit 1; }
  [ "$memory" -gt 9000 ] || { echo "prepare.sh: needs 9 GB of free memory for the Ray pods of two models" >&2; exit 1; }
}
build_images() { images/build.sh serve-cpu gateway data demo-models | tee "$cache/images.txt"; }
load_images() {
  tests/cluster/images.sh kuberay-operator redis
  local refs; mapfile -t refs < <(sed -n 's/^[a-z-]*=//p' "$cache/images.txt")
  images/load.sh "${refs[@]}"
}
step "room" room
step "Debian packages" tests/cluster/packages.sh
step "Python environment" tests/tools/venv.sh
step "tools" tests/tools/build.sh "$@"
step "images" build_images
step "local cluster" tests/cluster/up.sh
step "images into the cluster" load_images
step "chart dependency" tests/cluster/kuberay-chart.sh
printf '\nprepared:\n'; printf '%s\n' "${table[@]}"
