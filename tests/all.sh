#!/usr/bin/env bash
# `make test`: every level, from nothing. A level that did not run is a failure. Levels that measure nothing run two at a
# time, each with its output in one piece when it has ended.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
export RAY_VLLM_STACK_CACHE=$cache
levels=12 results=$(mktemp -d) lanes=()
: > "$results/table"
level() { # NAME COMMAND...
  local name=$1 start=$SECONDS verdict=FAILED; shift
  printf '\n==== %s\n' "$name"
  "$@" && verdict=passed
  printf '%-38s %s %5d s\n' "$name" "$verdict" $((SECONDS - start)) >> "$results/table"
}
beside() { # NAME COMMAND...: a level of a lane
  local log; log=$(mktemp -p "$results")
  printf '==== %s: runs\n' "$1"
  level "$@" &> "$log"
  flock "$results/table" cat "$log"
}
lane() { # FUNCTION: in the background, in a process group of its own so that it can be ended as a whole
  set -m; "$1" & lanes+=($!); set +m
}
finish() {
  for group in "${lanes[@]}"; do kill -- "-$group" 2> /dev/null; done
  local passed; passed=$(grep -c ' passed ' "$results/table")
  printf '\n'; cat "$results/table"; rm -rf "$results"
  printf 'all levels took %d s\nlevels: %d passed of %d\n' $SECONDS "$passed" $levels
  exit $((passed != levels))
}
trap finish EXIT
trap 'exit 130' INT TERM
units() {
  beside "1-2 chart: schema, guards, templates" make -s test-chart
  beside "2 gateway" make -s test-gateway
  beside "2 data component" make -s test-data
  beside "2 other modules" make -s test-modules
  beside "4 API server" make -s test-api
}
components() {
  beside "3 contract with Ray, vLLM, images" make -s test-contract
  beside "5 simulation" make -s test-simulation
}
level "prepare: tools, images, cluster" tests/cluster/prepare.sh
grep -q passed "$results/table" || exit
export PREPARED=1
level "0 lint, and generated files" make -s lint verify # alone: it writes what it verifies
lane units; lane components
wait "${lanes[@]}"
level "3 clients that attack, or leave" make -s test-attacks
level "6 cluster" make -s test-cluster
level "cleaned up" make -s down
