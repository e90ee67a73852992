#!/usr/bin/env bash
# `make test`: every level, from nothing. A level that did not run is a failure.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
export RAY_VLLM_STACK_CACHE=$cache
passed=0 failed=0 table=()
level() { # NAME COMMAND...
  local name=$1 start=$SECONDS; shift
  printf '\n==== %s\n' "$name"
  if "$@"; then passed=$((passed + 1)); table+=("$(printf '%-38s passed %5d s' "$name" $((SECONDS - start)))")
  else failed=$((failed + 1)); table+=("$(printf '%-38s FAILED %5d s' "$name" $((SECONDS - start)))"); fi
}
finish() {
  printf '\n'; printf '%s\n' "${table[@]}"
  printf 'all levels took %d s\nlevels: %d passed, %d failed\n' $SECONDS $passed $failed
  exit $((failed > 0 || passed < 9))
}
level "prepare: tools, images, cluster" tests/cluster/prepare.sh
[ $failed = 0 ] || finish
export PREPARED=1
level "0 lint, and generated files" make -s lint verify
level "1-2 schema, guards, templates, modules" make -s test-unit
level "3 contract with Ray, vLLM, images" make -s test-contract
level "3 hostile clients, 512 MiB" make -s test-attacks
level "4 API server" make -s test-api
level "5 simulation" make -s test-simulation
level "6 cluster" make -s test-cluster
level "cleaned up" make -s down
finish
