#!/usr/bin/env bash
# Builds the project's images.
# usage: build.sh [--engine buildah|docker|auto] [--names] [serve-cpu] [serve-cuda] [gateway] [data] [demo-models]
# Without an image's name: serve-cpu gateway data. --names says what the images of this tree are called and builds nothing.
# Each image is tagged with its version and with its version and a hash of all that it is made of. An image whose
# hash is there already is not built again. The last lines on stdout are NAME=REF, one for each image asked for.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

engine=auto names=() only_names=
while [ $# -gt 0 ]; do
  case $1 in
    --engine) engine=${2:?--engine needs a value}; shift ;;
    --engine=*) engine=${1#*=} ;;
    --names) only_names=1 ;;
    serve-cpu | serve-cuda | gateway | data | demo-models) names+=("$1") ;;
    *) die "unknown argument '$1', known: --engine serve-cpu serve-cuda gateway data demo-models" ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=(serve-cpu gateway data)
engine=$(pick_engine "$engine")
serve_version=$(version serveImage) gateway_version=$(version gatewayImage) data_version=$(version dataImage)
torch_index=${TORCH_INDEX_URL:-https://download.pytorch.org/whl/cpu}

build() { # REF LATEST BASE DOCKERFILE CONTEXT TARGET [BUILD ARGUMENT...]; LATEST may be empty
  local ref=$1 latest=$2 base=$3 file=$4 context=$5 target=$6 argument arguments=() start=$SECONDS; shift 6
  result=$ref
  [ -z "$only_names" ] || return 0
  if ! have_image "$engine" "$ref"; then
    [ "$engine" = docker ] || "$images/base.sh" "$base"
    say "images: building $ref"
    for argument in "BASE_IMAGE=$base" "$@"; do arguments+=(--build-arg "$argument"); done
    if [ "$engine" = docker ]; then
      DOCKER_BUILDKIT=1 nice docker build -q ${target:+--target "$target"} "${arguments[@]}" \
        -f "$repo/$file" -t "$ref" "$context" >/dev/null
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
}
forget_old() { # PREFIX: of the images whose names begin so, all but the three newest lose their names
  [ "$engine" = buildah ] || return 0
  local ref
  bah images --format '{{.CreatedAtRaw}} {{.Name}}:{{.Tag}}' | LC_ALL=C sort -r |
    awk -v prefix="$1" 'index($NF, prefix) == 1 {print $NF}' | tail -n +4 |
    while read -r ref; do bah rmi "$ref" >/dev/null 2>&1 || true; done  # one that a container uses stays
}

leftovers() { # what builds and runs that were killed left behind: this is the only build, and a run names its process
  local name
  bah containers --format '{{.ContainerName}}' | while read -r name; do
    case $name in
      *-working-container*) bah rm "$name" >/dev/null 2>&1 || true ;;
      run-*) kill -0 "${name#run-}" 2>/dev/null || bah rm "$name" >/dev/null 2>&1 || true ;;
    esac
  done
}

torch_source() { # sets torch: cpu, or pypi where PyTorch's index is out of reach
  torch=${TORCH:-${torch:-}}
  [ -z "$torch" ] || return 0
  if curl -s -o /dev/null --connect-timeout 3 -m 10 "$torch_index/"; then
    torch=cpu
  else
    torch=pypi
    [ -n "$only_names" ] ||
      say "images: $torch_index cannot be reached; torch comes from PyPI, its CUDA parts cut away (for local use only)"
  fi
}
serve() { # cpu|cuda
  local hash base; base=$(base_image serve)
  if [ "$1" = cpu ]; then torch_source; else torch=; fi
  hash=$(content_hash "$base $torch $(version uv)" images/serve serve_app versions.yaml .dockerignore)
  build "$registry/serve:$serve_version-$1-$hash" "$registry/serve:$serve_version-$1" "$base" images/serve/Dockerfile "$repo" "$1" \
    "TORCH=${torch:-cpu}" "TORCH_INDEX_URL=$torch_index" "UV_VERSION=$(version uv)" \
    "IMAGE_VERSION=$serve_version" "RAY_VERSION=$(version ray)" "VLLM_VERSION=$(version vllm)"
}
gateway() {
  local hash base; base=$(base_image gateway)
  hash=$(content_hash "$base $(version uv)" images/gateway images/serve/build/install.sh versions.yaml .dockerignore \
    serve_app/{__init__,version,in_cluster,make_secrets,uninstall}.py serve_app/versions.yaml \
    serve_app/{settings,impact,keys,smoke,gateway})
  build "$registry/gateway:$gateway_version-$hash" "$registry/gateway:$gateway_version" "$base" images/gateway/Dockerfile "$repo" "" \
    "UV_VERSION=$(version uv)" "IMAGE_VERSION=$gateway_version"
}
data() {
  local hash base; base=$(base_image gateway)
  hash=$(content_hash "$base $(version uv)" images/data images/serve/build/install.sh versions.yaml .dockerignore \
    serve_app/{__init__,version}.py serve_app/versions.yaml serve_app/{settings,data})
  build "$registry/data:$data_version-$hash" "$registry/data:$data_version" "$base" images/data/Dockerfile "$repo" "" \
    "UV_VERSION=$(version uv)" "IMAGE_VERSION=$data_version"
}
demo_models() {
  local trained smollm2 minilm base; base=$(base_image serve)
  serve cpu
  trained=$("$repo/tests/models/train.sh" ${only_names:+--name} --engine "$engine" "$result")
  smollm2=$("$repo/tests/models/smollm2/convert.sh" ${only_names:+--name} --engine "$engine" "$result")
  minilm=$("$repo/tests/models/minilm/unpack.sh" ${only_names:+--name})
  build "localhost/ray-vllm-stack/demo-models:$(content_hash "$base ${trained##*/} ${smollm2##*/} ${minilm##*/}" tests/models/Dockerfile)" \
    "" "$base" tests/models/Dockerfile "${trained%/*}" "" "TRAINED=${trained##*/}" "SMOLLM2=${smollm2##*/}" "MINILM=${minilm##*/}"
}

main() {
  local name lines=()
  if [ -z "$only_names" ]; then
    # One build at a time: what one is about to use, the other might prune.
    mkdir -p "$cache/buildah"
    exec 9>"$cache/buildah/.lock"
    flock -n 9 || { say "images: another build is running, waiting for it"; flock 9; }
    [ "$engine" = docker ] || leftovers
  fi
  for name in "${names[@]}"; do
    case $name in
      serve-*) serve "${name#serve-}" ;;
      gateway) gateway ;;
      data) data ;;
      demo-models) demo_models ;;
    esac
    lines+=("$name=$result")
  done
  # Layers that no image names any more.
  if [ -z "$only_names" ] && [ "$engine" = buildah ]; then bah rmi --prune >/dev/null 2>&1 || true; fi
  printf '%s\n' "${lines[@]}"
}
main; exit  # read as a whole before it runs: the file may be edited while a build takes its time
