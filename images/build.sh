#!/usr/bin/env bash
# Builds the project's images.
# usage: build.sh [--engine buildah|docker|auto] [serve-cpu] [serve-cuda] [gateway] [demo-models]   (default: serve-cpu gateway)
# Each image is tagged with its version and with its version and a hash of all that it is made of. An image whose
# hash is there already is not built again. The last lines on stdout are NAME=REF, one for each image asked for.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

engine=auto names=()
while [ $# -gt 0 ]; do
  case $1 in
    --engine) engine=${2:?--engine needs a value}; shift ;;
    --engine=*) engine=${1#*=} ;;
    serve-cpu | serve-cuda | gateway | demo-models) names+=("$1") ;;
    *) die "unknown argument '$1', known: --engine serve-cpu serve-cuda gateway demo-models" ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=(serve-cpu gateway)
engine=$(pick_engine "$engine")
stack=$(version stack)
base=docker.io/library/python:$(version python)-slim-bookworm
torch_index=${TORCH_INDEX_URL:-https://download.pytorch.org/whl/cpu}

build() { # REF LATEST DOCKERFILE CONTEXT TARGET [BUILD ARGUMENT...]; LATEST may be empty
  local ref=$1 latest=$2 file=$3 context=$4 target=$5 argument arguments=() start=$SECONDS; shift 5
  if ! have_image "$engine" "$ref"; then
    say "images: building $ref"
    for argument in "BASE_IMAGE=$base" "$@"; do arguments+=(--build-arg "$argument"); done
    if [ "$engine" = docker ]; then
      DOCKER_BUILDKIT=1 nice docker build -q ${target:+--target "$target"} "${arguments[@]}" -f "$repo/$file" -t "$ref" "$context" >&2
    else
      # The build reaches the package indexes with the host's certificates (a proxy's own may be among them).
      [ -d /etc/ssl/certs ] && arguments+=(-v /etc/ssl/certs:/etc/ssl/certs:ro)
      bah bud -q --isolation chroot --layers --pull=never ${target:+--target "$target"} "${arguments[@]}" \
        -f "$repo/$file" -t "$ref" "$context" >/dev/null
    fi
    say "images: built $ref in $((SECONDS - start)) s"
    forget_old "${ref%-*}-"
  fi
  [ -z "$latest" ] || if [ "$engine" = docker ]; then docker tag "$ref" "$latest"; else bah tag "$ref" "$latest"; fi
  result=$ref
}
forget_old() { # PREFIX: of the images whose names begin so, all but the three newest lose their names
  [ "$engine" = buildah ] || return 0
  local ref
  bah images --format '{{.CreatedAtRaw}} {{.Name}}:{{.Tag}}' | LC_ALL=C sort -r |
    awk -v prefix="$1" 'index($NF, prefix) == 1 {print $NF}' | tail -n +4 |
    while read -r ref; do bah rmi "$ref" >/dev/null 2>&1 || true; done  # one that a container uses stays
}

torch_source() { # sets torch: cpu, or pypi where PyTorch's index is out of reach
  [ -z "${torch:=${TORCH:-}}" ] || return 0
  if curl -s -o /dev/null --connect-timeout 3 -m 10 "$torch_index/"; then
    torch=cpu
  else
    say "images: $torch_index cannot be reached; torch comes from PyPI with its CUDA parts cut away (for local use only)"
    torch=pypi
  fi
}
serve() { # cpu|cuda
  torch_source
  build "$registry/serve:$stack-$1-$(content_hash "$base $torch $(version uv)" images/serve serve_app versions.yaml .dockerignore)" \
    "$registry/serve:$stack-$1" images/serve/Dockerfile "$repo" "$1" "TORCH=$torch" "TORCH_INDEX_URL=$torch_index" \
    "UV_VERSION=$(version uv)" "STACK_VERSION=$stack" "RAY_VERSION=$(version ray)" "VLLM_VERSION=$(version vllm)"
}
gateway() {
  build "$registry/gateway:$stack-$(content_hash "$base $(version uv)" images/gateway images/serve/build/install.sh versions.yaml \
    .dockerignore serve_app/__init__.py serve_app/version.py serve_app/versions.yaml serve_app/uninstall.py \
    serve_app/settings serve_app/gateway)" \
    "$registry/gateway:$stack" images/gateway/Dockerfile "$repo" "" "UV_VERSION=$(version uv)" "STACK_VERSION=$stack"
}
demo_models() {
  local models
  serve cpu
  models=$("$repo/tests/models/train.sh" --engine "$engine" "$result")
  build "localhost/ray-vllm-stack/demo-models:$(content_hash "$base ${models##*/}" tests/models/Dockerfile)" "" \
    tests/models/Dockerfile "$models" ""
}

[ "$engine" = docker ] || "$images/base.sh" "$base"
lines=()
for name in "${names[@]}"; do
  case $name in
    serve-*) serve "${name#serve-}" ;;
    gateway) gateway ;;
    demo-models) demo_models ;;
  esac
  lines+=("$name=$result")
done
if [ "$engine" = buildah ]; then
  # Layers that no image names any more.
  bah rmi --prune >/dev/null 2>&1 || true
fi
printf '%s\n' "${lines[@]}"
