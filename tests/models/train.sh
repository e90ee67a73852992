#!/usr/bin/env bash
# Trains the demo models in the serve image, once for each content of what they are made of and the image's locks, and
# prints the folder that holds them. usage: train.sh [--name] [--engine auto|buildah|docker] SERVE_CPU_IMAGE
# --name prints the folder and trains nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../images/lib.sh
. "$here/../../images/lib.sh"
engine=auto only_name=
if [ "${1:-}" = --name ]; then only_name=1; shift; fi
if [ "${1:-}" = --engine ]; then engine=$2; shift 2; fi
key=$(content_hash demo-models tests/models/{train.py,adapter.py,voices.py,tool.py,pairs.yaml,tool.yaml} \
  images/serve/requirements-cpu.txt images/serve/requirements-torch-cpu.txt)
out=$cache/demo-models/$key
if [ -z "$only_name" ] && [ ! -d "$out" ]; then
  say "demo-models: training two small models, one or two minutes"
  mkdir -p "$cache/demo-models"
  work=$(mktemp -d "$cache/demo-models/.train.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/models" && chown 1000:1000 "$work/models"
  nice "$images/run.py" --engine "$engine" --bind "$here:/source" --bind "$work/models:/models:rw" --env HF_HUB_OFFLINE=1 \
    "${1:?usage: train.sh SERVE_CPU_IMAGE}" python -W ignore /source/train.py /source/pairs.yaml /source/tool.yaml /models >&2
  chown -R 0:0 "$work/models"
  chmod -R u=rwX,go=rX "$work/models"
  mv "$work/models" "$out"
fi
echo "$out"
